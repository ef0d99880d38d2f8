// The related drugs as a table to save.
import type { Index } from "./data.ts";
import { linksOf, type Relation, type Relations } from "./relating.ts";
import type { Sheet } from "./sheet.ts";
import type { Lang } from "./words.ts";
import { wordsDrug } from "./words-drug.ts";

/** `rows`: all of them, in the order that is shown. */
export function relatedSheet(
  index: Index,
  { pairs }: Relations,
  rows: readonly Relation[],
  lang: Lang,
): Sheet {
  const { save: words } = wordsDrug[lang];
  const { head } = words;
  async function* read(): Sheet["rows"] {
    const links = linksOf(
      index,
      pairs,
      rows.map(({ drug }) => drug),
    );
    yield rows.map(({ drug, shared, lift }) => [
      index.drugs.name[drug]!,
      shared,
      lift,
      links
        .get(drug)!
        .map(({ journal }) => index.journals.name[journal]!)
        .join("; "),
    ]);
  }
  return {
    name: words.related,
    head: [head.drug, head.journals, head.lift, head.names],
    widths: [24, 16, 14, 100],
    rows: read(),
  };
}
