// The answers that are asked for most: the journals with the most drugs, and the latest mentions.
import { useMemo } from "preact/hooks";
import { type Index, textsOf } from "./data.ts";
import type { DateCode } from "./dates.ts";
import { useLoaded } from "./hooks.ts";
import { usePage } from "./page.ts";
import { Month, Waiting } from "./parts.tsx";
import { sorted } from "./sorting.ts";

/** Journals that tie are all shown, up to this number. */
const TIED_SHOWN = 10;
/** Titles that are shown, and the drugs that they are found by: a title can name several. */
const LATEST_SHOWN = 5;
const LATEST_DRUGS = 10;

export function Answers() {
  return (
    <>
      <TopJournals />
      <Latest />
    </>
  );
}

function TopJournals() {
  const { index, words, to } = usePage();
  const { drugs, id, name } = index.journals;
  const { most, tied } = useMemo(() => {
    const greatest = drugs.reduce((most, count) => Math.max(most, count), 0);
    return { most: greatest, tied: drugs.flatMap((count, at) => (count === greatest ? [at] : [])) };
  }, [index]);
  if (tied.length === 0) return null;
  return (
    <section class="card">
      <h2>{words.topJournals(tied.length)}</h2>
      <ul class="plain top" data-top>
        {tied.slice(0, TIED_SHOWN).map((at) => (
          <li key={at}>
            <a href={to({ journal: id[at] })}>{name[at]}</a>
          </li>
        ))}
      </ul>
      {tied.length > TIED_SHOWN && <p>{words.tied(tied.length - TIED_SHOWN)}</p>}
      <p class="dim">{words.topWhy(most, tied.length)}</p>
    </section>
  );
}

interface LatestMention {
  id: string;
  title: string;
  date: DateCode | null;
  drugs: number[];
}

/** The newest mention of each of these drugs; a title that names several is there once. */
async function latestMentions(index: Index, drugs: readonly number[]): Promise<LatestMention[]> {
  const mentions = new Map<string, LatestMention>();
  const texts = await Promise.all(
    drugs.map((drug) => textsOf(index, drug, [0])), // the newest come first
  );
  for (const [at, drug] of drugs.entries()) {
    const { id, title } = texts[at]![0]!;
    const before = mentions.get(id + title);
    if (before) before.drugs.push(drug);
    else mentions.set(id + title, { id, title, date: index.drugs.last[drug]!, drugs: [drug] });
  }
  return [...mentions.values()];
}

function Latest() {
  const { index, words, to } = usePage();
  const { last, id, name } = index.drugs;
  const drugs = useMemo(() => {
    const dated = last.flatMap((date, drug) => (date === null ? [] : [drug]));
    return sorted(dated, (drug) => last[drug]!, true).slice(0, LATEST_DRUGS);
  }, [index]);
  const { value: mentions, error } = useLoaded(() => latestMentions(index, drugs), [index]);
  if (drugs.length === 0) return null;
  return (
    <section class="card">
      <h2>{words.latestMentions}</h2>
      {!mentions && <Waiting error={error} />}
      <ul class="plain">
        {mentions?.slice(0, LATEST_SHOWN).map((mention) => (
          <li key={mention.id}>
            <span>
              {mention.drugs.map((drug, at) => (
                <>
                  {at > 0 && ", "}
                  <a href={to({ drug: id[drug] })}>{name[drug]}</a>
                </>
              ))}
              <span class="title">{mention.title}</span>
            </span>{" "}
            <span class="dim">
              <Month date={mention.date} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
