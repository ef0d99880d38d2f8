// What the facts of a drug's mentions say: which pass the filters, and how they spread over
// journals and years. Facts are enough for this, so it is exact for any number of mentions.
import { type Facts, FLAGS, type Index } from "./data.ts";
import { type DateCode, lastYearOf, yearOf } from "./dates.ts";

/** Which mentions are shown; what is not given does not matter. */
export interface Filter {
  journal?: number;
  /** First and last year of a period. Mentions without a date are in none. */
  from?: number;
  to?: number;
  type?: number;
  /** Only what is new, or retracted. */
  fresh?: boolean;
  retracted?: boolean;
}

/** The mentions of the drug by one journal. */
export interface JournalShare {
  journal: number;
  mentions: number;
  articles: number;
  trials: number;
  undated: number;
  fresh: number;
  first: DateCode | null;
  last: DateCode | null;
}

export interface Years {
  first: number;
  last: number;
  /** Mentions of each year from the first to the last. */
  articles: number[];
  trials: number[];
}

export function isTrial(index: Index, type: number): boolean {
  return index.types[type]!.trial;
}

/** Rows that pass a filter, in the order of the facts: newest first. */
export function rowsThatPass(facts: Facts, filter: Filter): number[] {
  const rows: number[] = [];
  for (let row = 0; row < facts.d.length; row++) if (passes(facts, row, filter)) rows.push(row);
  return rows;
}

export function passes(facts: Facts, row: number, filter: Filter): boolean {
  const { journal, type, fresh, retracted } = filter;
  const flags = (fresh ? FLAGS.fresh : 0) | (retracted ? FLAGS.retracted : 0);
  return (
    (journal === undefined || facts.j[row] === journal) &&
    (type === undefined || facts.t[row] === type) &&
    (facts.f[row]! & flags) === flags &&
    isWithin(facts.d[row]!, filter)
  );
}

/** A mention is within a period unless it surely lies outside, as for the commands (SPEC 6). */
function isWithin(date: DateCode | null, filter: Filter): boolean {
  if (filter.from === undefined && filter.to === undefined) return true;
  return date !== null && isInYears(yearOf(date), lastYearOf(date), filter);
}

/** Whether any of the years from `first` to `last` is in the period. */
export function isInYears(first: number, last: number, { from, to }: Filter): boolean {
  return (from === undefined || last >= from) && (to === undefined || first <= to);
}

/**
 * How many of these mentions only may lie in the period, as far as their date is known: a season that
 * is dated December can be in two years. Those without a date are in no period.
 */
export function countOpen(facts: Facts, rows: readonly number[], filter: Filter): number {
  const { from = -Infinity, to = Infinity } = filter;
  let open = 0;
  for (const row of rows) {
    const date = facts.d[row]!;
    if (date !== null && (yearOf(date) < from || lastYearOf(date) > to)) open++;
  }
  return open;
}

/** The journals of some mentions: those with the most first, then by name. */
export function shareOut(index: Index, facts: Facts, rows: Iterable<number>): JournalShare[] {
  const shares = new Map<number, JournalShare>();
  for (const row of rows) {
    const journal = facts.j[row]!;
    if (journal < 0) continue;
    let share = shares.get(journal);
    if (!share) {
      const none = { mentions: 0, articles: 0, trials: 0, undated: 0, fresh: 0 };
      shares.set(journal, (share = { journal, ...none, first: null, last: null }));
    }
    count(share, facts.d[row]!, isTrial(index, facts.t[row]!), facts.f[row]!);
  }
  // Journals are numbered by name.
  return [...shares.values()].sort(
    (one, other) => other.mentions - one.mentions || one.journal - other.journal,
  );
}

function count(share: JournalShare, date: DateCode | null, trial: boolean, flags: number): void {
  share.mentions++;
  if (trial) share.trials++;
  else share.articles++;
  if (flags & FLAGS.fresh) share.fresh++;
  if (date === null) {
    share.undated++;
    return;
  }
  if (share.first === null || date < share.first) share.first = date;
  if (share.last === null || date > share.last) share.last = date;
}

/** The same journals, those that mentioned it first before the others. */
export function byFirstMention(shares: readonly JournalShare[]): JournalShare[] {
  // Two without a date differ by what is not a number: they keep their order.
  return [...shares].sort((one, other) => (one.first ?? Infinity) - (other.first ?? Infinity) || 0);
}

/** Mentions by year; null if none has a date. */
export function countYears(index: Index, facts: Facts): Years | null {
  const counts = new Map<number, [articles: number, trials: number]>();
  // Nothing is made for each of hundreds of thousands of mentions.
  for (let row = 0; row < facts.d.length; row++) {
    const date = facts.d[row]!;
    if (date === null) continue;
    const year = yearOf(date);
    let ofYear = counts.get(year);
    if (!ofYear) counts.set(year, (ofYear = [0, 0]));
    ofYear[isTrial(index, facts.t[row]!) ? 1 : 0]++;
  }
  if (counts.size === 0) return null;
  const years = [...counts.keys()];
  const first = years.reduce((one, other) => Math.min(one, other));
  const last = years.reduce((one, other) => Math.max(one, other));
  const column = (which: 0 | 1) =>
    Array.from({ length: last - first + 1 }, (_, at) => counts.get(first + at)?.[which] ?? 0);
  return { first, last, articles: column(0), trials: column(1) };
}
