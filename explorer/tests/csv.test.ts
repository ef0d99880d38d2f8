import assert from "node:assert/strict";
import { test } from "node:test";
import { guardFormula, writeCsv } from "../src/csv.ts";
import type { Lang } from "../src/words.ts";
import { hostileSheet } from "./hostile.ts";
import { read } from "./tables.ts";

interface Texts {
  formulas: string[];
  texts: string[];
}

async function written(lang: Lang): Promise<string[]> {
  let text = "";
  for await (const part of writeCsv(hostileSheet(), lang)) text += part;
  assert.ok(text.startsWith("\uFEFF"));
  return text.slice(1).split(/\r\n(?!lines)/);
}

test("nothing runs, and every cell stays one", async () => {
  const lines = await written("en");
  assert.equal(lines[0], 'Text,Number,"\'=Date"');
  assert.equal(lines[1], '"\'=1+1",0,');
  assert.equal(lines[2], '"\'  @SUM(A1)",1,');
  assert.equal(lines[3], '"\'-308 TNF",2,');
  assert.equal(lines[5], '"quotes "" and; semicolons, commas",4,');
  assert.equal(lines[6], '"two\r\nlines",5,');
  assert.equal(lines[7], "0012,6,");
  assert.equal(lines[10], '"\'＝1+1",9,');
  assert.deepEqual(lines.slice(11), [
    ",1.5,2022-08-08",
    ",1.5,2003-07-01",
    ",1.5,2003-01-01",
    ",1.5,1899-12-31",
    "",
  ]);
});

test("French spreadsheets get semicolons", async () => {
  const lines = await written("fr");
  assert.equal(lines[1], '"\'=1+1";0;');
  assert.equal(lines[11], ";1,5;2022-08-08");
});

test("a text is guarded where the exports guard it", () => {
  for (const text of read<Texts>("formulas.json").formulas) {
    assert.equal(guardFormula(text), `'${text}`, JSON.stringify(text));
  }
  for (const text of read<Texts>("formulas.json").texts) assert.equal(guardFormula(text), text);
});
