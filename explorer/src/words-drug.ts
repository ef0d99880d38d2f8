// The words of the drug page, by language.
import type { Lang } from "./words.ts";
import { type DrugWords, en } from "./words-drug-en.ts";
import { fr } from "./words-drug-fr.ts";

export type { DrugWords } from "./words-drug-en.ts";

export const wordsDrug: Record<Lang, DrugWords> = { en, fr };
