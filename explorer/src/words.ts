// All that the page says, in each language. French has the type of English: what is missing in one of
// them does not compile. What only the page of a drug says is in words-drug.ts.
import { en } from "./words-en.ts";
import { fr } from "./words-fr.ts";

export type Lang = "en" | "fr";
export type Words = typeof en;

export const words: Record<Lang, Words> = { en, fr };
