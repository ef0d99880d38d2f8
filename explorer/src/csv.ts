// Tables as CSV that spreadsheets open as it was meant: in columns, and without running anything.

import { isoDay } from "./dates.ts";
import { type Cell, isDateCell, type Sheet } from "./sheet.ts";
import type { Lang } from "./words.ts";

/** What spreadsheets of a language expect between cells, and before the decimals of a number. */
const SIGNS: Record<Lang, { separator: string; point: string }> = {
  en: { separator: ",", point: "." },
  fr: { separator: ";", point: "," },
};

const BYTE_ORDER_MARK = "\uFEFF";
const LINE_END = "\r\n";
/**
 * What a spreadsheet takes for a formula or a command, as `drug_assets.exports.lines` has it.
 * Blanks are those of Unicode, which `\s` knows but for one, and the byte order mark, which it knows.
 */
const RUNS = /^[\s\u0085]*[=+\-@|%＝＋－＠｜％\t\r]/;

/** The parts of a file, in order. */
export async function* writeCsv(sheet: Sheet, lang: Lang): AsyncGenerator<string> {
  const { separator, point } = SIGNS[lang];
  const line = (cells: readonly Cell[]) =>
    cells.map((cell) => quote(showCell(cell, point), separator)).join(separator) + LINE_END;
  yield BYTE_ORDER_MARK + line(sheet.head);
  for await (const rows of sheet.rows) yield rows.map(line).join("");
}

/** A text that no spreadsheet takes for a formula. */
export function guardFormula(text: string): string {
  return RUNS.test(text) ? `'${text}` : text;
}

function showCell(cell: Cell, point: string): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell).replace(".", point);
  // The first day of what is known: what that is has a column of its own, as in exports.
  if (isDateCell(cell)) return isoDay(cell.date);
  return guardFormula(cell);
}

function quote(text: string, separator: string): string {
  const mustQuote = /["\r\n']/.test(text) || text.includes(separator) || text !== text.trim();
  return mustQuote ? `"${text.replaceAll('"', '""')}"` : text;
}
