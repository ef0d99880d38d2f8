import assert from "node:assert/strict";
import { test } from "node:test";
import { publicationLink } from "../src/links.ts";
import { cutAtSpans, foundWords } from "../src/spans.ts";
import { index } from "./small.ts";

const marked = (title: string, spans: [number, number][]) =>
  cutAtSpans(title, spans)
    .map(({ text, marked }) => (marked ? `[${text}]` : text))
    .join("");

test("spans count characters, not UTF-16 units", () => {
  assert.equal(
    marked("𝛽-aspirin 💊 aspirin", [
      [2, 9],
      [12, 19],
    ]),
    "𝛽-[aspirin] 💊 [aspirin]",
  );
});

test("the pieces are the title, whatever the spans", () => {
  const title = "Aspirin, acetylsalicylic acid";
  for (const spans of [
    [],
    [[0, 7]],
    [
      [9, 29],
      [0, 7],
    ],
    [
      [0, 5],
      [3, 7],
    ],
    [[20, 99]],
  ] as const) {
    const pieces = cutAtSpans(title, spans as readonly [number, number][]);
    assert.equal(pieces.map(({ text }) => text).join(""), title);
  }
});

test("words that were found are told once", () => {
  assert.deepEqual(
    foundWords("Aspirin or aspirin or Aspirin", [
      [0, 7],
      [11, 18],
      [22, 29],
    ]),
    ["Aspirin", "aspirin"],
  );
});

test("only ids that the service knows become links", () => {
  const { links = null } = index.types[0]!;
  assert.equal(publicationLink(links, "90000001"), "https://example.org/p/90000001/");
  for (const id of ["", "1/../2", "javascript:1", "12 34", "123456789", "PMC12\n"]) {
    assert.equal(publicationLink(links, id), null, id);
  }
  assert.equal(publicationLink(null, "90000001"), null);
});
