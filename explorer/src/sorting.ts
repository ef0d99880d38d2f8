// The order of a list's rows.
import { fold } from "./fold.ts";

export type Value = string | number | null;

/** A column, and whether its greatest values come first. */
export interface Sort {
  column: string;
  down: boolean;
}

/** As an address says it: "name", "-mentions". */
export function readSort(text: string): Sort {
  const down = text.startsWith("-");
  return { column: down ? text.slice(1) : text, down };
}

export function writeSort({ column, down }: Sort): string {
  return down ? `-${column}` : column;
}

/** The rows in the order of a value of theirs. Null comes last both ways; equal rows stay as they are. */
export function sorted<Row>(
  rows: readonly Row[],
  value: (row: Row) => Value,
  down: boolean,
): Row[] {
  const keys = rows.map((row) => {
    const key = value(row);
    return typeof key === "string" ? fold(key) : key;
  });
  const order = rows.map((_, at) => at);
  order.sort((a, b) => {
    const one = keys[a] ?? null;
    const other = keys[b] ?? null;
    if (one === other) return 0;
    if (one === null) return 1;
    if (other === null) return -1;
    return one < other === down ? 1 : -1;
  });
  return order.map((at) => rows[at]!);
}
