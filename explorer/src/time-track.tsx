// A date as a mark on a line of time that all rows of a list share.
import { type DateCode, dayOf, firstDayOf, precisionOf, yearOf } from "./dates.ts";

/** The first day of the line, and its number of days. */
export interface Track {
  start: number;
  days: number;
  firstYear: number;
  lastYear: number;
}

/** A line of whole years that holds these dates; null if there are less than two of them. */
export function trackOf(dates: readonly (DateCode | null)[]): Track | null {
  const years = dates.flatMap((date) => (date === null ? [] : [yearOf(date)]));
  if (years.length < 2) return null;
  const firstYear = years.reduce((a, b) => Math.min(a, b));
  const lastYear = years.reduce((a, b) => Math.max(a, b));
  const start = firstDayOf(firstYear);
  return { start, days: firstDayOf(lastYear + 1) - start, firstYear, lastYear };
}

/** Where a date is on the line, in per cent. */
export function placeOf({ start, days }: Track, date: DateCode): number {
  return (100 * (dayOf(date) - start)) / days;
}

/** The date stands in words beside it. Hollow if its day is not known. */
export function TimeTrack({ track, date }: { track: Track; date: DateCode | null }) {
  return (
    <span class="track" aria-hidden="true">
      {date !== null && (
        <span
          class={precisionOf(date) === "day" ? "dot" : "dot vague"}
          style={{ left: `${placeOf(track, date)}%` }}
        />
      )}
    </span>
  );
}
