// Columns that several lists have.
import type { Index } from "./data.ts";
import { precisionOf, showNumber } from "./dates.ts";
import type { DateCode } from "./dates.ts";
import type { Column } from "./list.tsx";
import type { UsedPage } from "./page.ts";
import { Month, TypeBars, typeColour } from "./parts.tsx";
import { dateCell } from "./sheet.ts";
import type { Words } from "./words.ts";

/** What one publication of a type is called, and several. */
export function typeNames(index: Index, words: Words, type: number): [string, string] {
  const { type: key, publications } = index.types[type]!;
  return words.typeNames[key] ?? [publications, publications];
}

/** "4 articles, 2 trials". */
export function countTypes(index: Index, words: Words, counts: readonly number[]): string {
  return counts
    .map((count, type) => words.count(count, ...typeNames(index, words, type)))
    .join(", ");
}

export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** A column of numbers. */
export function numberColumn<Row>(
  { route }: UsedPage,
  key: string,
  label: string,
  value: (row: Row) => number,
): Column<Row> {
  return { key, label, numeric: true, value, show: (row) => showNumber(value(row), route.lang) };
}

export function greatest(counts: readonly number[]): number {
  return counts.reduce((most, count) => Math.max(most, count), 0);
}

/**
 * Mentions, with a bar, and those of each type.
 * @param most what the longest bar stands for
 * @param byType counts the mentions of a row, by type
 */
export function mentionColumns<Row>(
  page: UsedPage,
  most: number,
  byType: (row: Row) => number[],
): Column<Row>[] {
  const { index, words, route } = page;
  const all = (row: Row) => sumOf(byType(row));
  return [
    {
      ...numberColumn(page, "mentions", words.mentions, all),
      show: (row) => (
        <>
          <TypeBars counts={byType(row)} most={most} />
          <span class="sum">{showNumber(all(row), route.lang)}</span>
        </>
      ),
    },
    ...index.types.map(({ type }, at) => ({
      ...numberColumn<Row>(
        page,
        type,
        capitalized(typeNames(index, words, at)[1]),
        (row) => byType(row)[at] ?? 0,
      ),
      swatch: typeColour(index, at),
      minor: true,
    })),
  ];
}

/** A column of dates that may not be known; undefined where there is nothing to have one. */
export function dateColumn<Row>(
  key: string,
  label: string,
  dateOf: (row: Row) => DateCode | null | undefined,
): Column<Row> {
  const date = (row: Row) => dateOf(row) ?? null;
  return {
    key,
    label,
    value: date,
    show: (row) => (dateOf(row) === undefined ? "" : <Month date={date(row)} />),
    save: (row) => dateCell(date(row)),
    precision: (row) => {
      const known = date(row);
      return known === null ? null : precisionOf(known);
    },
  };
}
