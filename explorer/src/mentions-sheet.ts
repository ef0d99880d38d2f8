// The mentions of a drug as a table to save.
import { type Facts, FLAGS, type Index, type Text, textsOf } from "./data.ts";
import { precisionOf } from "./dates.ts";
import { publicationLink } from "./links.ts";
import { type Cell, dateCell, type Sheet } from "./sheet.ts";
import { foundWords } from "./spans.ts";
import type { Lang } from "./words.ts";
import { wordsDrug } from "./words-drug.ts";

/** Rows of which the texts are read at a time. */
const BATCH = 1_000;

interface Mentions {
  index: Index;
  drug: number;
  facts: Facts;
  rows: readonly number[];
  lang: Lang;
}

export function mentionsSheet({ index, drug, facts, rows, lang }: Mentions): Sheet {
  const { save: words } = wordsDrug[lang];
  const { head } = words;
  const yesOrNo = (said: boolean) => (said ? words.yes : words.no);
  const retraction = (flags: number) =>
    flags & FLAGS.retractionUnknown ? words.unknown : yesOrNo((flags & FLAGS.retracted) !== 0);
  const cells = (row: number, { id, title, spans }: Text): Cell[] => {
    const { type, links, can_be_retracted: canBeRetracted } = index.types[facts.t[row]!]!;
    const date = facts.d[row]!;
    const flags = facts.f[row]!;
    return [
      index.drugs.name[drug]!,
      type,
      id,
      title,
      foundWords(title, spans).join("; "),
      index.journals.name[facts.j[row]!] ?? null,
      dateCell(date),
      date === null ? null : words.precisions[precisionOf(date)],
      canBeRetracted ? retraction(flags) : null,
      yesOrNo((flags & FLAGS.ambiguous) !== 0),
      yesOrNo((flags & FLAGS.fresh) !== 0),
      publicationLink(links, id),
    ];
  };
  async function* read(): Sheet["rows"] {
    for (let at = 0; at < rows.length; at += BATCH) {
      const batch = rows.slice(at, at + BATCH);
      const texts = await textsOf(index, drug, batch);
      yield batch.map((row, number) => cells(row, texts[number]!));
    }
  }
  return {
    name: words.mentions,
    head: [
      ...[head.drug, head.type, head.id, head.title, head.found, head.journal, head.date],
      ...[head.precision, head.retracted, head.ambiguous, head.fresh, head.address],
    ],
    widths: [24, 14, 14, 80, 24, 40, 12, 14, 10, 10, 8, 44],
    rows: read(),
  };
}
