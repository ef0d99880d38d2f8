// Names and codes of drugs by their numbers: the mentioned ones come first, then the others of the list.
import type { Names } from "./blocks.ts";
import type { Index } from "./data.ts";

/** Number of drugs, with those that no title mentions. These follow the mentioned ones. */
export function drugCount(index: Index): number {
  return index.mentioned + index.unmentioned;
}

/** Names that begin with the drug's own; `names` is null until its block is read. */
export function drugNames(index: Index, names: Names | null, drug: number): string[] {
  if (drug < index.mentioned) return [index.drugs.name[drug]!, ...(names?.names[drug] ?? [])];
  const other = drug - index.mentioned;
  return names ? [names.other.name[other]!, ...names.other.names[other]!] : [];
}

export function drugCodes(index: Index, names: Names, drug: number): string[] {
  const codes =
    drug < index.mentioned ? names.codes[drug] : names.other.codes[drug - index.mentioned];
  return codes ?? [];
}

export function drugId(index: Index, names: Names | null, drug: number): string {
  return index.drugs.id[drug] ?? names?.other.id[drug - index.mentioned] ?? "";
}
