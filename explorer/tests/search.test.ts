import assert from "node:assert/strict";
import { test } from "node:test";
import { distance } from "../src/distance.ts";
import { findClass, findDrugs, findJournal } from "../src/find.ts";
import { fold, foldJournal, foldName } from "../src/fold.ts";
import { type Entry, search, searchEntries } from "../src/search.ts";
import { sharedNames } from "../src/sharing.ts";
import { index, names } from "./searched.ts";

const entries = searchEntries(index, names);

/** What is found, as "kind number = label". */
function found(text: string): string[] {
  return search(index, entries, text).hits.map(({ kind, at, label }) => `${kind} ${at} = ${label}`);
}

test("names are folded: case, accents and blanks do not count", () => {
  assert.equal(fold("  Interféron   BÊTA-1a "), "interferon beta-1a");
  assert.equal(fold("plain TEXT"), "plain text");
});

test("typography, marks of lists, and points of journals do not count", () => {
  assert.equal(fold("β‑Carotène  ２′"), "β-carotene 2'");
  assert.equal(foldName("  Aspirin® (USP)."), "aspirin");
  assert.equal(foldName("®"), "®", "a name of marks alone stays");
  assert.equal(foldJournal("J. Emerg. Nurs.;"), "j emerg nurs");
  assert.deepEqual(found("Aspirin®"), ["drug 0 = aspirin"]);
  assert.equal(findJournal(index, "Acid Letters."), 0);
});

test("of a name that several drugs have, the others are told", () => {
  const own = (at: number, label: string, isCode = false): Entry => {
    return { kind: "drug", at, label, isCode, key: foldName(label), letters: 0 };
  };
  const some = [own(0, "A"), own(0, "shared"), own(0, "N02", true), own(1, "B"), own(1, "Shared®")];
  some.push(own(1, "N02", true), own(2, "SHARED"), { ...own(3, "shared"), kind: "journal" });
  const shared = { label: "shared", isCode: false, drugs: [1, 2] };
  assert.deepEqual(sharedNames(some, 0, "A"), [shared]);
  assert.deepEqual(sharedNames(some, 0, "n02"), [
    shared,
    { label: "n02", isCode: true, drugs: [1] },
  ]);
  assert.deepEqual(sharedNames(some, 2, "x"), [{ ...shared, label: "SHARED", drugs: [0, 1] }]);
});

test("a whole name comes before a beginning, that before the beginning of a word, that before the inside", () => {
  assert.deepEqual(found("aspirin"), ["drug 0 = aspirin", "journal 2 = The Journal of Aspirin"]);
  assert.deepEqual(found("acid"), ["journal 0 = Acid Letters", "drug 0 = acetylsalicylic acid"]);
  assert.deepEqual(found("acet"), ["drug 3 = acetaminophen", "drug 0 = acetylsalicylic acid"]);
  assert.deepEqual(found("nurs"), ["journal 1 = Journal of emergency nursing"]);
  assert.deepEqual(found("goxi"), ["drug 1 = digoxin"]);
});

test("a later word of a name counts though its letters occur earlier, too", () => {
  const [hit] = search(index, entries, "j").hits;
  assert.equal(hit?.label, "Journal of emergency nursing");
  assert.ok(found("in").includes("drug 2 = interféron bêta-1a"));
});

test("synonyms, codes and classes are found, and drugs before classes", () => {
  assert.deepEqual(found("ASPIRINE"), ["drug 0 = Aspirine"]);
  assert.deepEqual(found("n02ba01"), ["drug 0 = N02BA01", "class 4 = N02BA01"]);
  assert.equal(found("n02")[0], "class 1 = N02");
  assert.deepEqual(found("analgesics"), ["class 1 = Analgesics"]);
  assert.deepEqual(found("interferon beta"), ["drug 2 = interféron bêta-1a"]);
  assert.deepEqual(found("chinin"), ["drug 4 = chinin"]);
});

test("names come before codes that fit as well, however often they are mentioned", () => {
  assert.deepEqual(found("c").slice(0, 2), ["drug 4 = chinin", "drug 1 = C01AA05"]);
});

test("words in another order are found if nothing else is better", () => {
  assert.deepEqual(found("nursing emergency"), ["journal 1 = Journal of emergency nursing"]);
});

test("a misspelled name is found, and that it is misspelled is said", () => {
  for (const text of ["paracetmol", "pracetamol", "paracteamol", "parasetamoll"]) {
    const { hits, close } = search(index, entries, text);
    assert.equal(hits[0]?.at, 3, text);
    assert.ok(close);
  }
  assert.deepEqual(found("paracxxxol"), []);
  assert.deepEqual(found("asx"), []);
  assert.equal(search(index, entries, "aspirin").close, false);
});

test("nothing is found by nothing, and what is left out is counted", () => {
  assert.deepEqual(search(index, entries, "  "), { hits: [], total: 0, close: false });
  const all = search(index, entries, "a");
  const some = search(index, entries, "a", 2);
  assert.equal(some.hits.length, 2);
  assert.equal(some.total, all.total);
});

test("without the other names, first names are searched", () => {
  const first = searchEntries(index, null);
  assert.equal(search(index, first, "digoxin").hits[0]?.at, 1);
  assert.equal(search(index, first, "aspirin").hits[0]?.kind, "journal");
});

test("an address finds a drug by id, name, synonym or code", () => {
  for (const text of ["d1", "Acetylsalicylic Acid", "aspirin", "N02BA01"]) {
    assert.deepEqual(findDrugs(index, names, text), [0], text);
  }
  assert.deepEqual(findDrugs(index, names, "d5"), [4]);
  assert.deepEqual(findDrugs(index, names, "chinin"), [4]);
  assert.deepEqual(findDrugs(index, names, "nothing"), []);
  assert.deepEqual(findDrugs(index, null, "d2"), [1]);
  assert.equal(findDrugs(index, null, "aspirin"), undefined, "not known yet");
});

test("an address finds a journal by id or name, a class by its code", () => {
  assert.equal(findJournal(index, "j2"), 1);
  assert.equal(findJournal(index, "acid letters"), 0);
  assert.equal(findJournal(index, "acid"), null);
  assert.equal(findClass(index, "n02b"), 2);
  assert.equal(findClass(index, "X"), null);
});

test("distance counts letters changed, added, dropped and swapped", () => {
  assert.equal(distance("warfarin", "warfarin", 2), 0);
  assert.equal(distance("warfarin", "warfrain", 2), 1);
  assert.equal(distance("warfarin", "wrfarin", 2), 1);
  assert.equal(distance("warfarin", "wwarfarim", 2), 2);
  assert.ok(distance("warfarin", "digoxin", 2) > 2);
  assert.ok(distance("a", "abcd", 2) > 2);
});
