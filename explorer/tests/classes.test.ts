import assert from "node:assert/strict";
import { test } from "node:test";
import { className, classesAround, drugsOfClass } from "../src/classes.ts";
import { foundBy, hitMentions, hitName, hitPage } from "../src/hits.ts";
import type { Page } from "../src/page.ts";
import { index, names } from "./searched.ts";

const page: Page = { index, names, error: null, entries: [], route: { lang: "en" } };

test("the classes around one follow from the codes", () => {
  assert.deepEqual(classesAround(index, 0), { above: [], below: [1] });
  assert.deepEqual(classesAround(index, 2), { above: [0, 1], below: [3] });
  assert.deepEqual(classesAround(index, 4), { above: [0, 1, 2, 3], below: [] });
});

test("the drugs of a class have a code that begins with its own", () => {
  assert.deepEqual(drugsOfClass(index, names, 0), [0, 3]);
  assert.deepEqual(drugsOfClass(index, names, 3), [0]);
});

test("a class that no list names is called by the drugs of its very code", () => {
  assert.equal(className(index, names, 1), "Analgesics");
  assert.equal(className(index, names, 4), "acetylsalicylic acid");
  assert.equal(className(index, names, 3), "");
  assert.equal(className(index, null, 4), "", "not known yet");
});

test("a hit has a name, an address and a number of mentions", () => {
  const synonym = { kind: "drug" as const, at: 0, label: "aspirin" };
  assert.equal(hitName(page, synonym), "acetylsalicylic acid");
  assert.equal(foundBy(page, synonym), "aspirin");
  assert.equal(foundBy(page, { ...synonym, label: "acetylsalicylic acid" }), null);
  assert.deepEqual(hitPage(page, synonym), { drug: "d1" });
  assert.equal(hitMentions(page, synonym), 7);
  const unmentioned = { kind: "drug" as const, at: 4, label: "quinine" };
  assert.deepEqual(hitPage(page, unmentioned), { drug: "d5" });
  assert.equal(hitMentions(page, unmentioned), 0);
  const ofClass = { kind: "class" as const, at: 1, label: "N02" };
  assert.equal(hitName(page, ofClass), "N02 Analgesics");
  assert.deepEqual(hitPage(page, ofClass), { class: "N02" });
  const journal = { kind: "journal" as const, at: 1, label: "Journal of emergency nursing" };
  assert.deepEqual(hitPage(page, journal), { journal: "j2" });
  assert.equal(hitMentions(page, journal), 2);
});
