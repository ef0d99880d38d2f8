// One related drug: how strongly it is related, and the journals that link it.
import { useState } from "preact/hooks";
import { formatter } from "./dates.ts";
import { useDrugWords } from "./drug-words.ts";
import { usePage } from "./page.ts";
import { type Link, linksOf, type Relation, type Relations } from "./relating.ts";

/** Journals that are named at once; more are named when they are asked for. */
const JOURNALS_NAMED = 2;
const MOST_JOURNALS = 200;

interface RelatedProps {
  relation: Relation;
  relations: Relations;
  /** The journals that link them; not given if they are many. */
  links: readonly Link[] | undefined;
}

export function Related({ relation: { drug, shared, lift }, relations, links }: RelatedProps) {
  const { index, route, to } = usePage();
  const words = useDrugWords().related;
  const [found, setFound] = useState(links);
  const id = index.drugs.id[drug]!;
  const times = words.lift(formatter(route.lang, 1).format(lift));
  const strength = `${words.shared(shared, relations.pairs.length)} · ${times}`;
  const find = () => setFound(linksOf(index, relations.pairs, [drug]).get(drug)!);
  return (
    <li data-drug={id} data-shared={shared}>
      <a href={to({ drug: id })}>{index.drugs.name[drug]}</a>
      {shared <= JOURNALS_NAMED ? (
        <>
          <span class="strength dim" title={words.liftWhy}>
            {strength}
          </span>
          <JournalList links={links ?? []} />
        </>
      ) : (
        <details onToggle={({ currentTarget }) => currentTarget.open && !found && find()}>
          <summary class="strength dim" title={words.liftWhy}>
            {strength}
          </summary>
          <JournalList links={links ?? found ?? []} />
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
