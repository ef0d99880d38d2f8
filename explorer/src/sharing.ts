// Names that several drugs have: which drug is meant by one of them cannot be told.
import { FOLDS, type Entry } from "./search.ts";

export interface Shared {
  /** As the drug of the page has it; of a code, as it was asked for. */
  label: string;
  isCode: boolean;
  /** The other drugs that have it. */
  drugs: number[];
}

/**
 * The names of a drug that other drugs have, too; and so the code by which it was asked for, if it
 * was by a code.
 */
export function sharedNames(entries: readonly Entry[], drug: number, asked: string): Shared[] {
  const own = new Map<string, Shared>();
  const key = FOLDS.drug(asked);
  for (const entry of entries) {
    if (entry.kind !== "drug" || entry.at !== drug) continue;
    if (entry.isCode && entry.key !== key) continue;
    const { label, isCode } = entry;
    // A name goes before a code that is the same.
    if (!own.has(entry.key))
      own.set(entry.key, { label: isCode ? asked : label, isCode, drugs: [] });
  }
  for (const entry of entries) {
    if (entry.kind !== "drug" || entry.at === drug) continue;
    const shared = own.get(entry.key);
    if (shared?.isCode === entry.isCode && !shared.drugs.includes(entry.at)) {
      shared.drugs.push(entry.at);
    }
  }
  return [...own.values()].filter(({ drugs }) => drugs.length > 0);
}
