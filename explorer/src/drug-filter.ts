// The filters of a drug's mentions, as the address says them.
import type { Index } from "./data.ts";
import { findJournal } from "./find.ts";
import type { Filter } from "./mentions.ts";
import type { Route } from "./route.ts";

/** What no mention has: an address can name what is not in the data. */
const NOWHERE = -2;

export function filterOf(index: Index, route: Route): Filter {
  const { in: journal, from, to, type } = route;
  const filter: Filter = {};
  if (journal !== undefined) filter.journal = findJournal(index, journal) ?? NOWHERE;
  if (from !== undefined) filter.from = from;
  if (to !== undefined) filter.to = to;
  if (type !== undefined) filter.type = index.types.findIndex((one) => one.type === type);
  if (route.new) filter.fresh = true;
  if (route.retracted) filter.retracted = true;
  return filter;
}

/** The changes that take all filters away. */
export const NO_FILTER: Pick<Route, "in" | "from" | "to" | "type" | "new" | "retracted"> = {
  in: undefined,
  from: undefined,
  to: undefined,
  type: undefined,
  new: undefined,
  retracted: undefined,
};

export function isFiltered(route: Route): boolean {
  return Object.keys(NO_FILTER).some((key) => route[key as keyof Route] !== undefined);
}
