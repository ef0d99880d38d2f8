import assert from "node:assert/strict";
import { test } from "node:test";
import { address, pageOf, readRoute, systemLang } from "../src/route.ts";
import { readSort, sorted, writeSort } from "../src/sorting.ts";

const other = systemLang === "en" ? "fr" : "en";

test("an address leads back to the view that it is of", () => {
  const hashes = [
    "#",
    "#drug=a%20b%26c&in=9%2F1&type=pubmed&order=first&sort=lift&from=2001&to=2003&new=1&reading=no-trials",
    `#journal=x&lang=${other}`,
    "#class=N02",
    "#list=journals&q=%C3%A9t%C3%A9&sort=-drugs",
  ];
  for (const hash of hashes) assert.equal(address(readRoute(hash)), hash);
});

test("what an address must not say is not taken", () => {
  const route = readRoute("#drug=x&from=20x1&to=99999&new=yes&reading=all&lang=de");
  assert.equal(route.drug, "x");
  assert.equal(route.from, undefined);
  assert.equal(route.to, undefined);
  assert.equal(route.new, undefined);
  assert.equal(route.reading, undefined);
  assert.equal(route.lang, systemLang);
});

test("filters stay on the page, drugs do not", () => {
  assert.equal(pageOf(readRoute("#drug=x")), pageOf(readRoute("#drug=x&from=2001&lang=fr")));
  assert.notEqual(pageOf(readRoute("#drug=x")), pageOf(readRoute("#drug=y")));
  assert.notEqual(pageOf(readRoute("#drug=x")), pageOf(readRoute("#journal=x")));
});

test("rows are sorted, null last both ways, equal ones as they were", () => {
  const rows = [
    { name: "b", number: 1 },
    { name: "É", number: null },
    { name: "a", number: 2 },
    { name: "c", number: 1 },
  ];
  const names = (down: boolean, by: "name" | "number") =>
    sorted(rows, (row) => row[by], down)
      .map(({ name }) => name)
      .join("");
  assert.equal(names(false, "name"), "abcÉ");
  assert.equal(names(true, "name"), "Écba");
  assert.equal(names(false, "number"), "bcaÉ");
  assert.equal(names(true, "number"), "abcÉ");
  assert.deepEqual(readSort("-drugs"), { column: "drugs", down: true });
  assert.equal(writeSort(readSort("name")), "name");
});
