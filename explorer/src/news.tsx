// What is new since the release before.
import { useState } from "preact/hooks";
import type { News } from "./data.ts";
import { usePage } from "./page.ts";
import { Month } from "./parts.tsx";

const FIRSTS_SHOWN = 5;

export function NewsPanel() {
  const { index, words } = usePage();
  if (!index.news) {
    return (
      <section class="card slim">
        <h2>{words.news}</h2>
        <p class="dim">{words.newsNone}</p>
      </section>
    );
  }
  return (
    <section class="card">
      <h2>{words.news}</h2>
      <Told news={index.news} />
    </section>
  );
}

function Told({ news }: { news: News }) {
  const { words, change } = usePage();
  const counts = [
    { number: news.added, text: words.newsAdded },
    { number: news.gone, text: words.newsGone },
    { number: news.changed, text: words.newsChanged },
    { number: news.no_longer_searched, text: words.newsNoLongerSearched },
  ].filter(({ number }) => number > 0);
  const lists = [
    { intro: words.newsDrugsAdded, names: news.drugs_added, count: news.drugs_added_count },
    { intro: words.newsDrugsDropped, names: news.drugs_dropped, count: news.drugs_dropped_count },
    { intro: words.newsNamesAdded, names: news.names_added, count: news.names_added_count },
    { intro: words.newsNamesDropped, names: news.names_dropped, count: news.names_dropped_count },
  ].filter(({ count }) => count > 0);
  return (
    <>
      {counts.length > 0 && (
        <p>
          <b>{words.and(counts.map(({ number, text }) => text(number)))}</b>{" "}
          <span class="dim">{words.newsSince}</span>
        </p>
      )}
      {counts.length === 0 && lists.length === 0 && <p>{words.newsNothing}</p>}
      {news.added_of_new_drugs > 0 && (
        <p class="dim">{words.newsOfNewDrugs(news.added_of_new_drugs)}</p>
      )}
      {news.rules_changed && <p class="warning">{words.newsRules}</p>}
      {news.first_in_journal > 0 && <Firsts news={news} />}
      {lists.map((list) => (
        <Named key={list.intro} {...list} />
      ))}
      {news.added > 0 && (
        <p>
          <a href={change({ new: true, list: undefined })}>{words.newsOnly}</a>
        </p>
      )}
    </>
  );
}

/** The first mentions of a drug in a journal: the news that an analyst waits for. */
function Firsts({ news }: { news: News }) {
  const { index, words, to } = usePage();
  const [showsAll, setShowsAll] = useState(false);
  const shown = showsAll ? news.firsts : news.firsts.slice(0, FIRSTS_SHOWN);
  return (
    <>
      <h3>{words.newsFirsts(news.first_in_journal)}</h3>
      <ul class="plain">
        {shown.map(({ drug, journal, date, type, id }) => (
          <li key={`${drug} ${type} ${id}`}>
            <span>
              <a href={to({ drug: index.drugs.id[drug], in: index.journals.id[journal] })}>
                {index.drugs.name[drug]}
              </a>{" "}
              {words.in}{" "}
              <a href={to({ journal: index.journals.id[journal] })}>
                {index.journals.name[journal]}
              </a>
            </span>{" "}
            <span class="dim">
              <Month date={date} />
            </span>
          </li>
        ))}
      </ul>
      {news.firsts.length > FIRSTS_SHOWN && !showsAll && (
        <button type="button" class="act" onClick={() => setShowsAll(true)}>
          {words.more(news.firsts.length - FIRSTS_SHOWN)}
        </button>
      )}
    </>
  );
}

function Named({ intro, names, count }: { intro: string; names: string[]; count: number }) {
  const { words } = usePage();
  const others = count - names.length;
  return (
    <p>
      {intro} {names.join(", ")}
      {others > 0 && ` ${words.othersToo(others)}`}
    </p>
  );
}
