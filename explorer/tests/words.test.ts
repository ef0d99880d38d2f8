import assert from "node:assert/strict";
import { test } from "node:test";
import { words } from "../src/words.ts";

/** All texts of a language; functions are asked with numbers and texts. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "function") {
    return [0, 1, 2, 12_345].flatMap((number) => {
      try {
        return textsOf((value as (...of: unknown[]) => unknown)(number, number, "y", "z"));
      } catch {
        return textsOf((value as (of: unknown) => unknown)(["a", "b"])); // of a list
      }
    });
  }
  return Object.values(value as object).flatMap(textsOf);
}

test("French has a blank that does not break before double signs, English has none", () => {
  const double = /[:;!?»]/;
  for (const text of textsOf(words.fr)) {
    for (const [at, sign] of [...text].entries()) {
      if (double.test(sign)) assert.match(text.charAt(at - 1), /[\u00a0\u202f]/, text);
    }
  }
  for (const text of textsOf(words.en)) assert.doesNotMatch(text, /\s[:;!?]/, text);
});

test("numbers are written as the language writes them, and one is one", () => {
  assert.equal(words.en.countMentions(1), "1 mention");
  assert.equal(words.en.countMentions(0), "0 mentions");
  assert.equal(words.fr.countMentions(0), "0 mention");
  assert.equal(words.en.countDrugs(12_345), "12,345 drugs");
  assert.match(words.fr.countDrugs(12_345), /^12[\u202f\u00a0]345 médicaments$/);
});
