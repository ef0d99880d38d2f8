// A table that can be saved: what CSV and XLSX files are made of.

import type { DateCode } from "./dates.ts";

export type DateCell = { readonly date: DateCode };
export type Cell = string | number | DateCell | null;

export type Sheet = {
  readonly name: string;
  readonly head: readonly string[];
  /** Of the columns, in characters. */
  readonly widths?: readonly number[];
  /** Some rows at a time: all of a large table are never in memory together. */
  readonly rows: AsyncIterable<readonly (readonly Cell[])[]>;
};

export function isDateCell(cell: Cell): cell is DateCell {
  return typeof cell === "object" && cell !== null;
}

/** A cell of a date that may not be known. */
export function dateCell(code: DateCode | null): Cell {
  return code === null ? null : { date: code };
}

/** Rows that are in memory already, as a sheet has them. */
export async function* atOnce(rows: readonly (readonly Cell[])[]): Sheet["rows"] {
  yield rows;
}
