// From what an address says to the drug, journal or class that it means.
import { type Index, type Names, drugCodes, drugCount, drugNames } from "./data.ts";
import { fold } from "./fold.ts";

/**
 * The drug of this id, else of this name, else of this code; null if there is none. Without `names`,
 * only ids of mentioned drugs are known: undefined means that it may be another name.
 */
export function findDrug(
  index: Index,
  names: Names | null,
  text: string,
): number | null | undefined {
  const known = index.drugOfId.get(text);
  if (known !== undefined) return known;
  if (!names) return undefined;
  const other = names.other.id.indexOf(text);
  if (other >= 0) return index.mentioned + other;
  const key = fold(text);
  const drugs = Array.from({ length: drugCount(index) }, (_, drug) => drug);
  const keysOf = [
    (drug: number) => drugNames(index, names, drug).slice(0, 1),
    (drug: number) => drugNames(index, names, drug),
    (drug: number) => drugCodes(index, names, drug),
  ];
  for (const keys of keysOf) {
    const found = drugs.find((drug) => keys(drug).some((name) => fold(name) === key));
    if (found !== undefined) return found;
  }
  return null;
}

/** The journal of this id, else of this name. */
export function findJournal(index: Index, text: string): number | null {
  const known = index.journalOfId.get(text);
  if (known !== undefined) return known;
  const key = fold(text);
  const found = index.journals.name.findIndex((name) => fold(name) === key);
  return found < 0 ? null : found;
}

/** The class of this code. */
export function findClass(index: Index, text: string): number | null {
  return index.classOfCode.get(text.trim().toUpperCase()) ?? null;
}
