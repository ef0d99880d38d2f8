// What the lanes draw: marks while they can be told apart, above that cells of a year each.
import { type Facts, FLAGS, type Index } from "./data.ts";
import { type DateCode, dayOf, firstDayOf, precisionOf, yearOf } from "./dates.ts";
import { type Filter, isTrial, type JournalShare, passes, type Years } from "./mentions.ts";

/** From so many dated mentions on, a lane shows cells. */
export const MOST_MARKS = 60;

export interface Mark {
  date: DateCode;
  /** Place on the time axis, from 0 to 1. */
  at: number;
  trial: boolean;
  /** The day is not known. */
  vague: boolean;
  fresh: boolean;
  retracted: boolean;
  /** Whether it passes the filter. */
  isOn: boolean;
}

export interface YearCell {
  year: number;
  articles: number;
  trials: number;
  fresh: number;
}

export interface Lane {
  share: JournalShare;
  marks: Mark[];
  /** Null: there are few enough mentions for marks. */
  cells: YearCell[] | null;
}

/** The time axis: whole years. */
export interface Axis {
  first: number;
  span: number;
  /** Years that are written below it. */
  ticks: number[];
}

/** `most`: how many years there is room to write. */
export function axisOf(years: Years, most = 9): Axis {
  const span = years.last - years.first + 1;
  const step = [1, 2, 5, 10, 20, 50, 100].find((years) => span / years <= most) ?? 500;
  const all = Array.from({ length: span }, (_, at) => years.first + at);
  return { first: years.first, span, ticks: all.filter((year) => year % step === 0 || span < 4) };
}

/** Place of a day, from 0 to 1. */
export function placeOf(axis: Axis, date: DateCode): number {
  const start = firstDayOf(axis.first);
  return (dayOf(date) - start) / (firstDayOf(axis.first + axis.span) - start);
}

/** A place as SVG takes it: pictures need not be measured, and are sharp on any paper. */
export const percent = (share: number) => `${(100 * share).toFixed(3)}%`;

/** The lanes of these journals, in their order. What does not pass the filter is there, too. */
export function lanesOf(
  index: Index,
  facts: Facts,
  shares: readonly JournalShare[],
  axis: Axis,
  filter: Filter,
): Lane[] {
  const rows = new Map<number, number[]>(shares.map(({ journal }) => [journal, []]));
  for (let row = 0; row < facts.d.length; row++) {
    if (facts.d[row] !== null) rows.get(facts.j[row]!)?.push(row);
  }
  return shares.map((share) => {
    const mine = rows.get(share.journal)!;
    const isFull = mine.length >= MOST_MARKS;
    const cells = isFull ? cellsOf(index, facts, mine) : null;
    const marks = isFull
      ? []
      : mine.map((row) => ({
          ...markOf(index, facts, row, axis),
          isOn: passes(facts, row, filter),
        }));
    return { share, cells, marks };
  });
}

function markOf(index: Index, facts: Facts, row: number, axis: Axis): Omit<Mark, "isOn"> {
  const date = facts.d[row]!;
  const flags = facts.f[row]!;
  return {
    date,
    at: placeOf(axis, date),
    trial: isTrial(index, facts.t[row]!),
    vague: precisionOf(date) !== "day",
    fresh: (flags & FLAGS.fresh) !== 0,
    retracted: (flags & FLAGS.retracted) !== 0,
  };
}

/** The years with a mention, in order. */
function cellsOf(index: Index, facts: Facts, rows: readonly number[]): YearCell[] {
  const cells = new Map<number, YearCell>();
  for (const row of rows) {
    const year = yearOf(facts.d[row]!);
    let cell = cells.get(year);
    if (!cell) cells.set(year, (cell = { year, articles: 0, trials: 0, fresh: 0 }));
    if (isTrial(index, facts.t[row]!)) cell.trials++;
    else cell.articles++;
    if (facts.f[row]! & FLAGS.fresh) cell.fresh++;
  }
  return [...cells.values()].sort((one, other) => one.year - other.year);
}

/** The most mentions of a journal in one year: the darkest cell of the figure. */
export function fullest(lanes: readonly Lane[]): number {
  const counts = lanes.flatMap(({ cells }) => cells ?? []).map(sizeOf);
  return counts.reduce((one, other) => Math.max(one, other), 0);
}

export function sizeOf(cell: YearCell): number {
  return cell.articles + cell.trials;
}
