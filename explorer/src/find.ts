// From what an address says to the drug, journal or class that it means.
import { type Index, type Names, drugCodes, drugCount, drugNames } from "./data.ts";
import { foldJournal, foldName } from "./fold.ts";

/**
 * The drugs of this id, else those shown by this name, else those with this name, else with this
 * code. Without `names`, only ids of mentioned drugs are known: undefined means that it may be
 * another name.
 */
export function findDrugs(index: Index, names: Names | null, text: string): number[] | undefined {
  const known = index.drugOfId.get(text);
  if (known !== undefined) return [known];
  if (!names) return undefined;
  const other = names.other.id.indexOf(text);
  if (other >= 0) return [index.mentioned + other];
  const key = foldName(text);
  const drugs = Array.from({ length: drugCount(index) }, (_, drug) => drug);
  const keysOf = [
    (drug: number) => drugNames(index, names, drug).slice(0, 1),
    (drug: number) => drugNames(index, names, drug),
    (drug: number) => drugCodes(index, names, drug),
  ];
  for (const keys of keysOf) {
    const found = drugs.filter((drug) => keys(drug).some((name) => foldName(name) === key));
    if (found.length > 0) return found;
  }
  return [];
}

/** The journal of this id, else of this name. */
export function findJournal(index: Index, text: string): number | null {
  const known = index.journalOfId.get(text);
  if (known !== undefined) return known;
  const key = foldJournal(text);
  const found = index.journals.name.findIndex((name) => foldJournal(name) === key);
  return found < 0 ? null : found;
}

/** The class of this code. */
export function findClass(index: Index, text: string): number | null {
  return index.classOfCode.get(text.trim().toUpperCase()) ?? null;
}
