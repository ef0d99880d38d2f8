import assert from "node:assert/strict";
import { test } from "node:test";
import { shareOut } from "../src/mentions.ts";
import { countShared, liftOf, linking, linksOf, ranked } from "../src/relating.ts";
import { ACTA, ASPIRIN, BETAZOL, CAFFEINE, facts, index, LANCE, pairs, TRIAL } from "./small.ts";

test("drugs are related by articles of shared journals, not by trials", () => {
  assert.deepEqual(countShared(index, ASPIRIN, pairs, []), [
    { drug: BETAZOL, shared: 1, lift: (1 * 2) / (2 * 1) },
    { drug: CAFFEINE, shared: 2, lift: (2 * 2) / (2 * 2) },
  ]);
});

test("the other reading leaves out journals with a trial of the drug, also of the chance", () => {
  const shares = shareOut(index, facts, facts.j.keys());
  const { counted, leftOut } = linking(index, shares, true);
  assert.deepEqual(
    counted.map(({ journal }) => journal),
    [LANCE],
  );
  assert.deepEqual(
    leftOut.map(({ journal }) => journal),
    [ACTA],
  );
  // Caffeine is in every journal that counts: that is what chance gives.
  assert.deepEqual(countShared(index, ASPIRIN, pairs.slice(1), pairs.slice(0, 1)), [
    { drug: CAFFEINE, shared: 1, lift: (1 * 1) / (1 * 1) },
  ]);
});

test("a journal with a trial of the drug is left out even if its articles are on others", () => {
  const trialOnly = { ...facts, t: facts.t.map(() => TRIAL) };
  const { counted, leftOut } = linking(index, shareOut(index, trialOnly, [0, 2]), true);
  assert.deepEqual([counted.length, leftOut.length], [0, 2]);
});

test("chance is 1", () => {
  assert.equal(liftOf(10, 100, 20, 50), 1);
  assert.equal(liftOf(20, 100, 20, 50), 2);
});

test("ties are in the order of names", () => {
  const related = [3, 1, 2].map((drug) => ({ drug, shared: drug === 2 ? 9 : 1, lift: 1 }));
  assert.deepEqual(
    ranked(related, "journals").map(({ drug }) => drug),
    [2, 1, 3],
  );
  assert.deepEqual(
    ranked(related, "lift").map(({ drug }) => drug),
    [1, 2, 3],
  );
  assert.deepEqual(
    ranked(related, "name").map(({ drug }) => drug),
    [1, 2, 3],
  );
});

test("the strongest links come first", () => {
  const links = linksOf(index, [...pairs].reverse(), [CAFFEINE]);
  assert.deepEqual(links.get(CAFFEINE), [
    { journal: ACTA, articles: 4 },
    { journal: LANCE, articles: 1 },
  ]);
});
