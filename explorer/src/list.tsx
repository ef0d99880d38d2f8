// A table of drugs, journals or classes: sorted, filtered, shown in parts, saved whole.
import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Precision } from "./dates.ts";
import { usePage } from "./page.ts";
import { SaveButtons } from "./save-buttons.tsx";
import { type Cell, atOnce } from "./sheet.ts";
import { type Sort, type Value, sorted } from "./sorting.ts";
import { wordsDrug } from "./words-drug.ts";

export interface Column<Row> {
  key: string;
  label: string;
  /** What rows are sorted by; also what is shown and saved, unless it is said otherwise. */
  value: (row: Row) => Value;
  show?: (row: Row) => ComponentChildren;
  save?: (row: Row) => Cell;
  /** Numbers stand to the right, and the greatest come first. */
  numeric?: boolean;
  /** The mark beside its label: its colour in the bars. */
  swatch?: { class: string; opacity: number };
  /** It holds dates: in a saved file, a column behind it says how much of each is known. */
  precision?: (row: Row) => Precision | null;
  /** Not shown where there is little room. */
  minor?: boolean;
  /** In the saved file alone, or on the page alone. */
  onlySaved?: boolean;
  onlyShown?: boolean;
}

interface ListProps<Row> {
  /** What it is a list of: its heading and its file are named so. */
  label: string;
  file: string;
  rows: readonly Row[];
  columns: Column<Row>[];
  keyOf: (row: Row) => number;
  sort: Sort;
  setSort: (sort: Sort) => void;
  /** Whether a row has nothing to count. */
  isEmpty?: (row: Row) => boolean;
  /** What stands beside the count. */
  children?: ComponentChildren;
}

const FIRST_SHOWN = 50;
const MORE = 200;

export function List<Row>(props: ListProps<Row>) {
  const { label, file, rows, columns, keyOf, sort, setSort, isEmpty, children } = props;
  const { route, words } = usePage();
  const [most, setMost] = useState(FIRST_SHOWN);
  const shownColumns = columns.filter((column) => !column.onlySaved);
  const sortedBy = columns.find(({ key }) => key === sort.column) ?? shownColumns[0]!;
  const ordered = useMemo(
    () => sorted(rows, sortedBy.value, sort.down),
    [rows, sortedBy.key, sort.down],
  );
  const left = ordered.length - most;
  const savedColumns = columns.filter((column) => !column.onlyShown);
  const { head: heads, precisions } = wordsDrug[route.lang].save;
  const sheet = () => ({
    name: label,
    head: savedColumns.flatMap(({ label: name, precision }) =>
      precision ? [name, `${name}: ${heads.precision}`] : [name],
    ),
    rows: atOnce(
      ordered.map((row) =>
        savedColumns.flatMap(({ value, save, precision }) => {
          const cell = save ? save(row) : value(row);
          if (!precision) return [cell];
          const known = precision(row);
          return [cell, known && precisions[known]];
        }),
      ),
    ),
  });
  return (
    <>
      <div class="bar">
        {children}
        <SaveButtons name={file} sheet={sheet} />
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label={label}>
        <table class="list">
          <thead>
            <tr>
              {shownColumns.map((column) => (
                <Head key={column.key} column={column} sort={sort} setSort={setSort} />
              ))}
            </tr>
          </thead>
          <tbody>
            {ordered.slice(0, most).map((row) => (
              <tr key={keyOf(row)} class={isEmpty?.(row) ? "none" : undefined}>
                {shownColumns.map((column, at) => (
                  <BodyCell key={column.key} column={column} row={row} isHead={at === 0} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length === 0 && <p class="dim">{words.noRows}</p>}
      {left > 0 && (
        <button type="button" class="act more" onClick={() => setMost(most + MORE)}>
          {words.more(Math.min(left, MORE))}
        </button>
      )}
    </>
  );
}

function classOf<Row>({ numeric, minor }: Column<Row>): string {
  return `${numeric ? "number" : ""} ${minor ? "minor" : ""}`.trim();
}

interface HeadProps<Row> {
  column: Column<Row>;
  sort: Sort;
  setSort: (sort: Sort) => void;
}

function Head<Row>({ column, sort, setSort }: HeadProps<Row>) {
  const { key, label, numeric = false, swatch } = column;
  const isSorted = sort.column === key;
  const direction = sort.down ? "descending" : "ascending";
  return (
    <th scope="col" class={classOf(column)} aria-sort={isSorted ? direction : "none"}>
      <button
        type="button"
        class="sort"
        onClick={() => setSort({ column: key, down: isSorted ? !sort.down : numeric })}
      >
        {swatch && (
          <span
            class={`swatch ${swatch.class}`}
            style={{ opacity: swatch.opacity }}
            aria-hidden="true"
          />
        )}
        {label}
        <span aria-hidden="true">{isSorted ? (sort.down ? " ↓" : " ↑") : ""}</span>
      </button>
    </th>
  );
}

interface BodyCellProps<Row> {
  column: Column<Row>;
  row: Row;
  isHead: boolean;
}

function BodyCell<Row>({ column, row, isHead }: BodyCellProps<Row>) {
  const content = column.show ? column.show(row) : column.value(row);
  if (isHead) return <th scope="row">{content}</th>;
  return <td class={classOf(column)}>{content}</td>;
}
