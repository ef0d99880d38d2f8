// Tables of cases that both languages are tested with: the tests in Python read them, too.
import { readFileSync } from "node:fs";

/** `name`: of a file beside this one. */
export function read<Table>(name: string): Table {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8")) as Table;
}
