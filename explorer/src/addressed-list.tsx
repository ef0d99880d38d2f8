// A list of the first page: its order and its filter are in the address.
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { type Column, List } from "./list.tsx";
import { usePage } from "./page.ts";
import { goInPlace } from "./route.ts";
import { FOLDS, type Kind } from "./search.ts";
import { readSort, writeSort } from "./sorting.ts";

interface AddressedListProps {
  label: string;
  file: string;
  kind: Kind;
  /** Numbers of drugs, journals or classes. */
  rows: readonly number[];
  columns: Column<number>[];
  /** Says how many rows. */
  count: (number: number) => string;
  /** The order if the address names none. */
  sort: string;
  isEmpty?: (row: number) => boolean;
  children?: ComponentChildren;
}

export function AddressedList({ kind, rows, count, sort, children, ...rest }: AddressedListProps) {
  const { entries, route, words } = usePage();
  const text = route.q ?? "";
  const filtered = useMemo(() => {
    const wanted = FOLDS[kind](text);
    if (wanted === "") return rows;
    const found = new Set<number>();
    for (const entry of entries) {
      if (entry.kind === kind && entry.key.includes(wanted)) found.add(entry.at);
    }
    return rows.filter((row) => found.has(row));
  }, [entries, kind, rows, text]);
  return (
    <List
      {...rest}
      rows={filtered}
      keyOf={(row) => row}
      sort={readSort(route.sort ?? sort)}
      setSort={(chosen) => goInPlace({ ...route, sort: writeSort(chosen) })}
    >
      <label class="sr" for="filter">
        {words.filter}
      </label>
      <input
        id="filter"
        type="search"
        placeholder={words.filter}
        autocomplete="off"
        value={text}
        onInput={({ currentTarget }) => goInPlace({ ...route, q: currentTarget.value })}
      />
      <span class="dim" role="status">
        {filtered.length === rows.length
          ? count(rows.length)
          : words.numberOf(filtered.length, count(rows.length))}
      </span>
      {children}
    </List>
  );
}

/** Shows only rows with something new, or all again. */
export function OnlyNew() {
  const { index, route, words, change } = usePage();
  if (!index.news && !route.new) return null;
  return (
    <a
      class="act"
      aria-current={route.new ? "true" : undefined}
      href={change({ new: route.new ? undefined : true })}
    >
      {words.newsOnly}
      {route.new && <span aria-hidden="true"> ✕</span>}
    </a>
  );
}

/** The numbers from 0. */
export function numbers(length: number): number[] {
  return Array.from({ length }, (_, at) => at);
}
