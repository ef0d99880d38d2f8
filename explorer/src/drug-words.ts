// What the parts of a drug's page share: its words, and the names of types of publications.
import type { Index } from "./data.ts";
import { usePage } from "./page.ts";
import { type DrugWords, wordsDrug } from "./words-drug.ts";

export function useDrugWords(): DrugWords {
  return wordsDrug[usePage().route.lang];
}

/** "Article" or "Trial", with its service where several types are one or the other. */
export function typeLabel(words: DrugWords, index: Index, type: number, several = false): string {
  const { trial, source, links } = index.types[type]!;
  const one = trial ? words.trial : words.article;
  const label = several ? (trial ? words.trialsHead : words.articlesHead) : one;
  const alike = index.types.filter((other) => other.trial === trial).length;
  return alike === 1 ? label : `${label} (${links?.site ?? source})`;
}
