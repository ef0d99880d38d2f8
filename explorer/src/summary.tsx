// What the page is about, in sentences.
import type { DateCode } from "./dates.ts";
import { showMonth } from "./dates.ts";
import { usePage } from "./page.ts";

/** The least or greatest of dates, of which some may not be known. */
export function extreme(
  dates: readonly (DateCode | null)[],
  isBetter: (date: DateCode, than: DateCode) => boolean,
): DateCode | null {
  return dates.reduce((best, date) => {
    if (date === null || (best !== null && !isBetter(date, best))) return best;
    return date;
  }, null);
}

export const earliest = (dates: readonly (DateCode | null)[]) =>
  extreme(dates, (date, than) => date < than);
export const latest = (dates: readonly (DateCode | null)[]) =>
  extreme(dates, (date, than) => date > than);

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);

export function Summary() {
  const { index, route, words } = usePage();
  const { drugs, journals } = index;
  const first = earliest(drugs.first);
  const last = latest(drugs.last);
  const retracted = sum(drugs.retracted);
  const ambiguous = sum(drugs.ambiguous);
  const asides = [
    index.unmentioned > 0 && words.unmentioned(index.unmentioned),
    retracted > 0 && words.retractedMentions(retracted),
    ambiguous > 0 && words.ambiguousMentions(ambiguous),
  ].filter((text) => text !== false);
  return (
    <>
      <p class="lead">
        {words.summary(index.total, index.mentioned, journals.id.length)}
        {first !== null &&
          last !== null &&
          `, ${words.fromTo(showMonth(first, route.lang), showMonth(last, route.lang))}`}
        .
      </p>
      {asides.length > 0 && <p class="aside">{asides.join(" ")}</p>}
    </>
  );
}
