import assert from "node:assert/strict";
import { test } from "node:test";
import {
  dateFormat,
  dayOf,
  isoDay,
  type Precision,
  precisionOf,
  showDate,
  showMonth,
  writeDate,
  yearOf,
} from "../src/dates.ts";
import { code } from "./small.ts";
import { read } from "./tables.ts";

test("a code holds the day and the precision, before 1970 too", () => {
  for (const day of ["2022-08-08", "1969-12-31", "1899-01-01"]) {
    for (const precision of ["day", "month", "season", "year"] as const) {
      const made = code(day, precision);
      assert.equal(dayOf(made), Date.parse(day) / 86_400_000);
      assert.equal(precisionOf(made), precision);
      assert.equal(isoDay(made), day);
      assert.equal(yearOf(made), Number(day.slice(0, 4)));
    }
  }
});

test("no more is shown than is known", () => {
  assert.equal(showDate(code("2022-08-08"), "en"), "8 Aug 2022");
  assert.equal(showDate(code("2022-08-01", "month"), "en"), "August 2022");
  assert.equal(showDate(code("2000-04-01", "season"), "en"), "April 2000 (season)");
  assert.equal(showDate(code("2003-01-01", "year"), "en"), "2003");
  assert.equal(showMonth(code("2022-08-08"), "fr"), "août 2022");
  assert.equal(showMonth(code("2003-01-01", "year"), "fr"), "2003");
});

test("dates are written as the commands write them", () => {
  for (const { date, precision, written } of read<Written[]>("written-dates.json")) {
    assert.equal(writeDate(code(date, precision), "en"), written);
  }
  assert.equal(writeDate(code("2003-04-01", "season"), "fr"), "2003-04 (saison)");
  assert.equal(dateFormat("day", "en"), "yyyy\\-mm\\-dd");
  assert.equal(dateFormat("season", "fr"), 'yyyy\\-mm" (saison)"');
});

interface Written {
  date: string;
  precision: Precision;
  written: string;
}
