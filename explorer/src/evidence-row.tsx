// One mention: date, type, title with the words that were found, journal, address.
import { type Facts, FLAGS, type Text } from "./data.ts";
import { showDate } from "./dates.ts";
import { typeLabel, useDrugWords } from "./drug-words.ts";
import { publicationLink } from "./links.ts";
import { usePage } from "./page.ts";
import { cutAtSpans, type Span } from "./spans.ts";
import { LinkedPublications } from "./linked.tsx";

/** What the graph leads to. */
export const rowId = (row: number) => `mention-${row}`;

export function EvidenceRow({ facts, row, text }: { facts: Facts; row: number; text: Text }) {
  const { index, route } = usePage();
  const words = useDrugWords();
  const type = facts.t[row]!;
  const date = facts.d[row]!;
  return (
    <li id={rowId(row)} tabIndex={-1} data-id={text.id} data-type={index.types[type]!.type}>
      <span class="date">{date === null ? words.evidence.noDate : showDate(date, route.lang)}</span>
      <TypeTag type={type} />
      <div class="what">
        <span class="title">
          <Marked title={text.title} spans={text.spans} />
        </span>
        <Badges flags={facts.f[row]!} />
        <span class="source">
          <JournalOf journal={facts.j[row]!} /> · <PublicationLink type={type} id={text.id} />
        </span>
        {text.linked.length > 0 && <LinkedPublications type={type} linked={text.linked} />}
      </div>
    </li>
  );
}

export function TypeTag({ type }: { type: number }) {
  const { index } = usePage();
  const words = useDrugWords();
  const kind = index.types[type]!.trial ? "trial" : "article";
  return <span class={`tag ${kind}`}>{typeLabel(words, index, type)}</span>;
}

function Marked({ title, spans }: { title: string; spans: readonly Span[] }) {
  const { evidence: words } = useDrugWords();
  const how = (by: string | undefined) => (by === undefined ? undefined : (words.by[by] ?? by));
  return (
    <>
      {cutAtSpans(title, spans).map(({ text, marked, by }) =>
        marked ? <mark title={how(by)}>{text}</mark> : text,
      )}
    </>
  );
}

function Badges({ flags }: { flags: number }) {
  const { evidence: words } = useDrugWords();
  const badges = [
    { flag: FLAGS.retracted, kind: "retracted", label: words.retracted, why: words.retractedWhy },
    { flag: FLAGS.ambiguous, kind: "ambiguous", label: words.ambiguous, why: words.ambiguousWhy },
    { flag: FLAGS.firstInJournal, kind: "fresh", label: words.first, why: words.freshWhy },
    { flag: FLAGS.fresh, kind: "fresh", label: words.isFresh, why: words.freshWhy },
  ];
  const shown = badges.filter(({ flag }) => flags & flag);
  if (shown.length === 0) return null;
  return (
    <span class="badges">
      {shown.map(({ kind, label, why }) => (
        <span class={`badge ${kind}`} title={why}>
          {label}
        </span>
      ))}
    </span>
  );
}

function JournalOf({ journal }: { journal: number }) {
  const { index, to } = usePage();
  const { evidence: words } = useDrugWords();
  if (journal < 0) return <i>{words.noJournal}</i>;
  return <a href={to({ journal: index.journals.id[journal]! })}>{index.journals.name[journal]}</a>;
}

/** A link where the service knows such ids, else the id alone. */
export function PublicationLink({ type, id }: { type: number; id: string }) {
  const { index } = usePage();
  const words = useDrugWords();
  const { links = null } = index.types[type]!;
  const address = publicationLink(links, id);
  if (address === null || links === null) return <span class="id">{id}</span>;
  return (
    <a class="out" href={address} target="_blank" rel="noopener noreferrer">
      {links.site} {id} <span aria-hidden="true">↗</span>
      <span class="sr"> {words.newTab}</span>
    </a>
  );
}
