// Related drugs: those that articles of the same journals mention, with the journals that link them.
import { useEffect, useMemo, useState } from "preact/hooks";
import { Choice } from "./choice.tsx";
import { formatter, showNumber } from "./dates.ts";
import { useDrugWords } from "./drug-words.ts";
import { usePage } from "./page.ts";
import { Waiting } from "./parts.tsx";
import { relatedSheet } from "./related-sheet.ts";
import { type Link, linksOf, type Order, ranked, type Relation, type Relations } from "./relating.ts";
import { go, type Route } from "./route.ts";
import { SaveButtons } from "./save-buttons.tsx";

const FIRST_SHOWN = 24;
const MORE = 100;
/** Journals that are named at once; more are named when they are asked for. */
const JOURNALS_NAMED = 2;
const MOST_JOURNALS = 200;

interface RelatedProps {
  drug: number;
  /** Null while they are counted. */
  relations: Relations | null;
  error: Error | null;
}

export function orderOf({ sort }: Route): Order {
  return sort === "name" || sort === "lift" ? sort : "journals";
}

export function RelatedDrugs({ drug, relations, error }: RelatedProps) {
  const { index, route } = usePage();
  const words = useDrugWords().related;
  const order = orderOf(route);
  const all = useMemo(() => relations && ranked(relations.related, order), [relations, order]);
  useEffect(() => {
    if (all) performance.mark("related");
  }, [all]);
  return (
    <section id="related" aria-labelledby="related-heading">
      <div class="bar">
        <h2 id="related-heading">{words.heading}</h2>
        <span role="status" class="dim">
          {all ? showNumber(all.length, route.lang) : words.reading}
        </span>
        {relations && all && all.length > 0 && (
          <SaveButtons
            name={`${index.drugs.name[drug]} ${words.heading}`}
            sheet={() => relatedSheet(index, relations, all, route.lang)}
          />
        )}
      </div>
      <div class="bar filters">
        <Choice<Order>
          label={words.order}
          chosen={order}
          options={[
            { value: "journals", label: words.byJournals },
            { value: "name", label: words.byName },
            { value: "lift", label: words.byLift },
          ]}
          choose={(by) => go({ ...route, sort: by === "journals" ? undefined : by })}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={route.reading === "no-trials"}
            onChange={({ currentTarget }) =>
              go({ ...route, reading: currentTarget.checked ? "no-trials" : undefined })
            }
          />{" "}
          {words.withoutTrials}
        </label>
      </div>
      <p class="dim">
        {words.why} {order === "lift" && words.liftWhy}
      </p>
      {relations && all ? (
        <List relations={relations} all={all} />
      ) : (
        error && <Waiting error={error} />
      )}
    </section>
  );
}

function List({ relations, all }: { relations: Relations; all: readonly Relation[] }) {
  const { index } = usePage();
  const words = useDrugWords().related;
  const [most, setMost] = useState(FIRST_SHOWN);
  const shown = useMemo(() => all.slice(0, most), [all, most]);
  const links = useMemo(
    () => linksOf(index, relations, shown.map(({ drug }) => drug)),
    [index, relations, shown],
  );
  const left = all.length - shown.length;
  if (all.length === 0) return <p>{words.none}</p>;
  return (
    <>
      <ul class="related">
        {shown.map((relation) => (
          <Related
            key={relation.drug}
            relation={relation}
            of={relations.pairs.length}
            links={links.get(relation.drug)!}
          />
        ))}
      </ul>
      {left > 0 && (
        <button class="act more" onClick={() => setMost(most + MORE)}>
          {words.more(Math.min(left, MORE))}
        </button>
      )}
    </>
  );
}

interface OneRelated {
  relation: Relation;
  /** Journals that could link them. */
  of: number;
  links: readonly Link[];
}

function Related({ relation: { drug, shared, lift }, of, links }: OneRelated) {
  const { index, route, to } = usePage();
  const words = useDrugWords().related;
  const id = index.drugs.id[drug]!;
  return (
    <li data-drug={id} data-shared={shared}>
      <a href={to({ drug: id })}>{index.drugs.name[drug]}</a>{" "}
      <span class="strength dim">
        {words.shared(shared, of)} · {words.lift(formatter(route.lang, 1).format(lift))}
      </span>
      {links.length <= JOURNALS_NAMED ? (
        <JournalList links={links} />
      ) : (
        <details>
          <summary class="dim">{words.through(links.length)}</summary>
          <JournalList links={links} />
        </details>
      )}
    </li>
  );
}

function JournalList({ links }: { links: readonly Link[] }) {
  const { index, to } = usePage();
  const words = useDrugWords().related;
  const left = links.length - MOST_JOURNALS;
  return (
    <ul class="journals">
      {links.slice(0, MOST_JOURNALS).map(({ journal }) => {
        const id = index.journals.id[journal]!;
        return (
          <li>
            <a href={to({ journal: id })} data-journal={id}>
              {index.journals.name[journal]}
            </a>
          </li>
        );
      })}
      {left > 0 && <li class="dim">{words.furtherJournals(left)}</li>}
    </ul>
  );
}
