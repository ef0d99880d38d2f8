// Dates as the blocks hold them, and in words. What is shown never says more than what is known:
// of a date of which only the year is known, only the year is shown.

import type { Lang } from "./words.ts";

/** Days since 1970-01-01 times 4, plus the precision. Codes sort like the dates. */
export type DateCode = number;

export const PRECISIONS = ["day", "month", "season", "year"] as const;
export type Precision = (typeof PRECISIONS)[number];

const MILLISECONDS_A_DAY = 86_400_000;
/** Months are counted from 0. */
const DECEMBER = 11;
const LOCALES: Record<Lang, string> = { en: "en-GB", fr: "fr-FR" };
/** What stands behind the month of a season, which is not known better. */
const SEASON: Record<Lang, string> = { en: " (season)", fr: " (saison)" };

/** The day, in days since 1970-01-01; the first of what is known. */
export function dayOf(code: DateCode): number {
  return Math.floor(code / 4);
}

export function precisionOf(code: DateCode): Precision {
  return PRECISIONS[code - 4 * dayOf(code)]!;
}

const years = new Map<number, number>();

export function yearOf(code: DateCode): number {
  // Kept by day: hundreds of thousands of mentions have far fewer days.
  const day = dayOf(code);
  let year = years.get(day);
  if (year === undefined) years.set(day, (year = toDate(code).getUTCFullYear()));
  return year;
}

/**
 * The last year that a date can be in: a season that is dated December can be in the next one. So
 * says `drug_assets.periods`, which knows the days, too.
 */
export function lastYearOf(code: DateCode): number {
  const isWinter = precisionOf(code) === "season" && toDate(code).getUTCMonth() === DECEMBER;
  return yearOf(code) + (isWinter ? 1 : 0);
}

/** The first day of a year, in days since 1970-01-01. */
export function firstDayOf(year: number): number {
  return new Date(0).setUTCFullYear(year, 0, 1) / MILLISECONDS_A_DAY;
}

/** "2022-08-08": the first day of what is known. */
export function isoDay(code: DateCode): string {
  return toDate(code).toISOString().slice(0, 10);
}

/** How a date is written as far as it is known, by that: so do the commands (drug_assets.periods). */
const WRITTEN: Record<Precision, number> = { day: 10, month: 7, season: 7, year: 4 };

/** "2022-08-08", "2022-08", "2022-04 (season)" or "2022": as much as is known. */
export function writeDate(code: DateCode, lang: Lang): string {
  const precision = precisionOf(code);
  return isoDay(code).slice(0, WRITTEN[precision]) + (precision === "season" ? SEASON[lang] : "");
}

/** The format by which a spreadsheet writes a date so. */
export function dateFormat(precision: Precision, lang: Lang): string {
  const shown = "yyyy-mm-dd".slice(0, WRITTEN[precision]);
  return shown.replaceAll("-", "\\-") + (precision === "season" ? `"${SEASON[lang]}"` : "");
}

/** "8 Aug 2022", "August 2022", "April 2022 (season)" or "2022". */
export function showDate(code: DateCode, lang: Lang): string {
  if (precisionOf(code) !== "day") return showMonth(code, lang);
  return format(code, lang, { day: "numeric", month: "short", year: "numeric" });
}

/** As `showDate`, without the day. */
export function showMonth(code: DateCode, lang: Lang): string {
  const precision = precisionOf(code);
  if (precision === "year") return format(code, lang, { year: "numeric" });
  const month = format(code, lang, { month: "long", year: "numeric" });
  return precision === "season" ? month + SEASON[lang] : month;
}

export function showNumber(number: number, lang: Lang): string {
  return formatter(lang).format(number);
}

/** A share of 1 in per cent: "12 %"; what would be rounded to nothing is "< 1 %". */
export function showShare(share: number, lang: Lang): string {
  const percent = new Intl.NumberFormat(LOCALES[lang], {
    style: "percent",
    maximumFractionDigits: 0,
  });
  return share > 0 && share < 0.005 ? `< ${percent.format(0.01)}` : percent.format(share);
}

const numberFormats = new Map<string, Intl.NumberFormat>();

/** With so many digits after the point. Formatters are kept: to make one takes long. */
export function formatter(lang: Lang, digits = 0): Intl.NumberFormat {
  const key = `${lang}${digits}`;
  let made = numberFormats.get(key);
  if (made === undefined) {
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    made = new Intl.NumberFormat(LOCALES[lang], options);
    numberFormats.set(key, made);
  }
  return made;
}

function toDate(code: DateCode): Date {
  return new Date(dayOf(code) * MILLISECONDS_A_DAY);
}

const dateFormats = new Map<string, Intl.DateTimeFormat>();

function format(code: DateCode, lang: Lang, options: Intl.DateTimeFormatOptions): string {
  const key = `${lang}${options.day ?? ""}${options.month ?? ""}`;
  let made = dateFormats.get(key);
  if (made === undefined) {
    made = new Intl.DateTimeFormat(LOCALES[lang], { ...options, timeZone: "UTC" });
    dateFormats.set(key, made);
  }
  return made.format(toDate(code));
}
