import assert from "node:assert/strict";
import { test } from "node:test";
import type { Facts } from "../src/data.ts";
import type { Precision } from "../src/dates.ts";
import { axisOf, fullest, lanesOf, MOST_MARKS, placeOf } from "../src/marks.ts";
import { byFirstMention, countOpen, countYears, rowsThatPass, shareOut } from "../src/mentions.ts";
import { ACTA, code, facts, index, LANCE, TRIAL } from "./small.ts";
import { read } from "./tables.ts";

interface Case {
  date: string | null;
  precision: Precision | null;
  from: number | null;
  to: number | null;
  counts: boolean;
  /** It counts, but may lie outside. */
  open: boolean;
}

test("filters work together; what has no date is in no year", () => {
  assert.deepEqual(rowsThatPass(facts, {}), [0, 1, 2, 3, 4]);
  assert.deepEqual(rowsThatPass(facts, { from: 2003, to: 2003 }), [2, 3]);
  assert.deepEqual(rowsThatPass(facts, { from: 2010 }), [0, 1]);
  assert.deepEqual(rowsThatPass(facts, { journal: ACTA, type: TRIAL }), [1]);
  assert.deepEqual(rowsThatPass(facts, { fresh: true }), [0]);
  assert.deepEqual(rowsThatPass(facts, { journal: -2 }), []);
});

test("what surely lies outside a period does not pass, as for the commands", () => {
  for (const one of read<Case[]>("years.json")) {
    const date = one.date === null ? null : code(one.date, one.precision!);
    const filter = {
      ...(one.from !== null && { from: one.from }),
      ...(one.to !== null && { to: one.to }),
    };
    const only = { d: [date], t: [0], j: [0], f: [0] };
    const passing = rowsThatPass(only, filter);
    assert.equal(passing.length === 1, one.counts, JSON.stringify(one));
    assert.equal(countOpen(only, passing, filter) === 1, one.open, JSON.stringify(one));
  }
});

test("journals come with the most mentions first, or in the order of the first", () => {
  const shares = shareOut(index, facts, facts.j.keys());
  assert.deepEqual(
    shares.map(({ journal, mentions }) => [journal, mentions]),
    [
      [ACTA, 3],
      [LANCE, 1],
    ],
  );
  assert.deepEqual([shares[0]!.articles, shares[0]!.trials], [2, 1]);
  assert.equal(shares[0]!.first, code("2003-02-01"));
  const later = [{ ...shares[0]!, first: null }, { ...shares[0]!, first: null }, shares[1]!];
  assert.deepEqual(byFirstMention(later), [later[2], later[0], later[1]]);
});

test("years without a mention are counted, too", () => {
  const years = countYears(index, facts)!;
  assert.deepEqual([years.first, years.last], [2003, 2022]);
  assert.equal(years.articles.length, 20);
  assert.deepEqual([years.articles[0], years.trials[18], years.articles[19]], [2, 1, 1]);
  assert.equal(countYears(index, { d: [null], t: [0], j: [0], f: [0] }), null);
});

test("marks stand at their dates, hollow if the day is not known", () => {
  const axis = axisOf(countYears(index, facts)!);
  const [acta, lance] = lanesOf(index, facts, shareOut(index, facts, facts.j.keys()), axis, {
    type: TRIAL,
  });
  assert.deepEqual(
    acta!.marks.map(({ trial, vague, fresh }) => [trial, vague, fresh]),
    [
      [false, false, true],
      [true, false, false],
      [false, false, false],
    ],
  );
  assert.deepEqual(
    acta!.marks.map(({ isOn }) => isOn),
    [false, true, false],
  );
  assert.deepEqual(
    lance!.marks.map(({ vague, retracted }) => [vague, retracted]),
    [[true, true]],
  );
  assert.equal(placeOf(axis, code("2003-01-01")), 0);
  assert.ok(Math.abs(placeOf(axis, code("2013-01-01")) - 0.5) < 1e-3);
});

test("a full lane has cells, a year each", () => {
  const many: Facts = { d: [], t: [], j: [], f: [] };
  for (let at = 0; at < MOST_MARKS; at++) {
    many.d.push(code(at % 3 === 0 ? "2020-05-05" : "2021-05-05"));
    many.t.push(at % 2);
    many.j.push(ACTA);
    many.f.push(0);
  }
  const shares = shareOut(index, many, many.j.keys());
  const lanes = lanesOf(index, many, shares, axisOf(countYears(index, many)!), {});
  assert.deepEqual(lanes[0]!.marks, []);
  assert.deepEqual(lanes[0]!.cells, [
    { year: 2020, articles: 10, trials: 10, fresh: 0 },
    { year: 2021, articles: 20, trials: 20, fresh: 0 },
  ]);
  assert.equal(fullest(lanes), 40);
});
