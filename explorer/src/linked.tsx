// The publications of a trial, or the trials of a publication.
import { useState } from "preact/hooks";
import type { Linked } from "./data.ts";
import { showDate } from "./dates.ts";
import { useDrugWords } from "./drug-words.ts";
import { PublicationLink } from "./evidence-row.tsx";
import { usePage } from "./page.ts";

/** More are shown when they are asked for: a trial can have dozens. */
const SHOWN = 3;

/** `type`: of the publication that they are linked with. */
export function LinkedPublications({ type, linked }: { type: number; linked: Linked[] }) {
  const { index } = usePage();
  const { evidence: words, less } = useDrugWords();
  const [showsAll, setShowsAll] = useState(false);
  const shown = showsAll ? linked : linked.slice(0, SHOWN);
  return (
    <div class="linked">
      <span class="dim">{index.types[type]!.trial ? words.publicationsOf : words.trialsOf}</span>
      <ul>
        {shown.map((one) => (
          <One linked={one} />
        ))}
      </ul>
      {linked.length > SHOWN && (
        <button class="act" aria-expanded={showsAll} onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? less : words.allLinked(linked.length)}
        </button>
      )}
    </div>
  );
}

function One({ linked: [type, id, kind, date, journal] }: { linked: Linked }) {
  const { route } = usePage();
  const { evidence: words } = useDrugWords();
  const parts = [words.kinds[kind] ?? kind, date === null ? null : showDate(date, route.lang)];
  return (
    <li data-linked={id}>
      <PublicationLink type={type} id={id} />{" "}
      <span class="dim">{[...parts, journal].filter((part) => part !== null).join(", ")}</span>
    </li>
  );
}
