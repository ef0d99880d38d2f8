// A table of what makes spreadsheets run, break or guess.
import type { Sheet } from "../src/sheet.ts";
import { code } from "./small.ts";

export const TEXTS = [
  "=1+1",
  "  @SUM(A1)",
  "-308 TNF",
  '+cmd|" /C calc"!A0',
  'quotes " and; semicolons, commas',
  "two\r\nlines",
  "0012",
  "_x0041_ <b>&amp;</b> \u0000\u000b\ud800",
  "é 💊",
  "＝1+1",
];

export const LONG = `${"a".repeat(32_765)}💊${"b".repeat(10_000)}`;

export const DATES = [
  code("2022-08-08"),
  code("2003-07-01", "month"),
  code("2003-01-01", "year"),
  code("1899-12-31"),
];

export function hostileSheet(): Sheet {
  async function* rows(): Sheet["rows"] {
    yield TEXTS.map((text, at) => [text, at, null]);
    yield DATES.map((date) => [null, 1.5, { date }]);
  }
  return {
    name: "Mentions",
    head: ["Text", "Number", "=Date"],
    widths: [40, 10, 12],
    rows: rows(),
  };
}
