import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { before, test } from "node:test";
import { UnreadableBlock, type Facts, type Texts } from "../src/data.ts";
import { factsOf, namesOf, pairsOf, readIndex, textsOf } from "../src/data.ts";
import { readBlock } from "../src/containers.ts";
import { index, names } from "./searched.ts";

const packed = (block: unknown) => gzipSync(JSON.stringify(block)).toString("base64");

/** Seven facts per block, so that drugs lie across the borders of blocks: 22 rows. */
const FACTS = 7;
const TEXTS = 5;
const rows = Array.from({ length: 22 }, (_, row) => row);
const blocksOf = (size: number) =>
  Array.from({ length: Math.ceil(rows.length / size) }, (_, at) =>
    rows.slice(at * size, (at + 1) * size),
  );

const page = new Map<string, string>([
  ["index", packed({ ...index, facts: FACTS, texts: TEXTS })],
  ["names", packed(names)],
  [
    "p0",
    packed([
      [[1, 1], [[3, 4]], [8, null]],
      [[0, 3], [[1, 2]], [4, 12]],
      [[2], [[1]], [null]],
    ]),
  ],
]);
for (const [at, own] of blocksOf(FACTS).entries()) {
  const facts: Facts = { d: own.map((row) => row * 4), t: own, j: own, f: own.map(() => 0) };
  page.set(`f${at}`, packed(facts));
}
for (const [at, own] of blocksOf(TEXTS).entries()) {
  const texts: Texts = {
    i: own.map((row) => `id ${row}`),
    t: own.map((row) => `title ${row}`),
    s: own.map(() => [[0, 5]]),
    k: own.map(() => null),
  };
  page.set(`x${at}`, packed(texts));
}

/** Files that were asked for, and what is to be found beside the page. */
const askedFor: string[] = [];
const beside = new Map<string, Record<string, string>>();

before(() => {
  const script = { src: "", onload: () => {}, onerror: () => {}, remove: () => {} };
  Object.assign(globalThis, {
    window: globalThis,
    document: {
      readyState: "complete",
      getElementById: (name: string) => (page.has(name) ? { textContent: page.get(name) } : null),
      createElement: () => ({ ...script }),
      head: {
        append: (added: typeof script) => {
          askedFor.push(added.src);
          const blocks = beside.get(added.src);
          if (blocks) window.explorerShard?.(blocks);
          queueMicrotask(() => (blocks ? added.onload() : added.onerror()));
        },
      },
    },
  });
});

test("the facts of a drug are its own, across the borders of blocks", async () => {
  const read = await readIndex();
  assert.deepEqual(read.start, [0, 7, 12, 13]);
  for (const [drug, count] of read.mentions.entries()) {
    const own = rows.slice(read.start[drug], read.start[drug]! + count);
    const facts = await factsOf(read, drug);
    assert.deepEqual(facts.t, own);
    assert.deepEqual(
      facts.d,
      own.map((row) => row * 4),
    );
    assert.equal(facts.f.length, count);
  }
});

test("texts come in the order in which they are asked for", async () => {
  const read = await readIndex();
  const texts = await textsOf(read, 1, [4, 0, 2]);
  assert.deepEqual(
    texts.map(({ id }) => id),
    ["id 11", "id 7", "id 9"],
  );
  assert.deepEqual(texts[0], { id: "id 11", title: "title 11", spans: [[0, 5]], linked: [] });
});

test("the drugs of journals are absolute numbers", async () => {
  const read = await readIndex();
  assert.deepEqual(await pairsOf(read, [1, 0]), [
    { journal: 1, drug: [0, 3], by: [[1, 2]], first: [4, 12] },
    { journal: 0, drug: [1, 2], by: [[3, 4]], first: [8, null] },
  ]);
  assert.deepEqual(await namesOf(read), names);
});

test("a block that the page does not hold cannot be read", async () => {
  await assert.rejects(readBlock({ where: null, folder: "" }, "x99"), UnreadableBlock);
});

test("files beside the page are asked for once, and again if they were missing", async () => {
  const container = { where: { y0: 3, y1: 3 }, folder: "explorer_files" };
  await assert.rejects(readBlock(container, "y0"), { message: "explorer_files/s3.js" });
  beside.set("explorer_files/s3.js", { y0: packed(["zero"]), y1: packed(["one"]) });
  assert.deepEqual(await readBlock(container, "y0"), ["zero"]);
  assert.deepEqual(await readBlock(container, "y1"), ["one"]);
  assert.deepEqual(await readBlock(container, "y0"), ["zero"]);
  assert.deepEqual(askedFor, ["explorer_files/s3.js", "explorer_files/s3.js"]);
});

test("the text of a file beside the page goes, and is read again if it is wanted", async () => {
  const files = Array.from({ length: 9 }, (_, at) => `explorer_files/s${10 + at}.js`);
  const where = Object.fromEntries(
    files.flatMap((_, at) => [
      [`u${at}`, at],
      [`v${at}`, at],
    ]),
  );
  const moved = Object.fromEntries(Object.entries(where).map(([name, at]) => [name, 10 + at]));
  const container = { where: moved, folder: "explorer_files" };
  for (const [at, file] of files.entries()) {
    beside.set(file, { [`u${at}`]: packed([at]), [`v${at}`]: packed([at]) });
  }
  askedFor.length = 0;
  for (let at = 0; at < 9; at++) assert.deepEqual(await readBlock(container, `u${at}`), [at]);
  assert.deepEqual(askedFor, files);
  assert.deepEqual(await readBlock(container, "v8"), [8], "of the last files, the text is kept");
  assert.deepEqual(askedFor, files);
  assert.deepEqual(await readBlock(container, "v0"), [0]);
  assert.deepEqual(askedFor, [...files, files[0]]);
});

test("what is damaged is told", async () => {
  page.set("broken", packed([1]).slice(8));
  const isDamage = (error: unknown) => !(error instanceof UnreadableBlock);
  await assert.rejects(readBlock({ where: null, folder: "" }, "broken"), isDamage);
});

test("many blocks may be read one after the other", async () => {
  const read = await readIndex();
  for (let at = 0; at < 300; at++) page.set(`z${at}`, packed([at]));
  for (let at = 0; at < 300; at++) {
    assert.deepEqual(await readBlock(read, `z${at}`), [at]);
  }
  page.set("z0", packed(["again"]));
  assert.deepEqual(await readBlock(read, "z0"), ["again"], "it was forgotten");
});
