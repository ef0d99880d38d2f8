// Classes of drugs, by their codes: a code begins with those of the classes above it.
import { type Index, type Names, drugCodes, drugCount, drugNames } from "./data.ts";

/** Places of the classes around one: all above it, from the top, and those one level below. */
export function classesAround(index: Index, at: number): { above: number[]; below: number[] } {
  const { code, level } = index.classes;
  const own = code[at]!;
  const above: number[] = [];
  const below: number[] = [];
  for (const [other, otherCode] of code.entries()) {
    if (other !== at && own.startsWith(otherCode)) above.push(other);
    if (otherCode.startsWith(own) && level[other] === level[at]! + 1) below.push(other);
  }
  return { above: above.sort((a, b) => level[a]! - level[b]!), below };
}

/** The drugs that have the code of a class, or of a class below it. */
export function drugsOfClass(index: Index, names: Names, at: number): number[] {
  const own = index.classes.code[at]!;
  const drugs: number[] = [];
  for (let drug = 0; drug < drugCount(index); drug++) {
    if (drugCodes(index, names, drug).some((code) => code.startsWith(own))) drugs.push(drug);
  }
  return drugs;
}

const drugsOfCodes = new WeakMap<Names, Map<string, string[]>>();

/** First names of the drugs that have this very code. */
function drugsOfCode(index: Index, names: Names, code: string): string[] {
  let drugs = drugsOfCodes.get(names);
  if (!drugs) {
    drugs = new Map();
    for (let drug = 0; drug < drugCount(index); drug++) {
      const [name = ""] = drugNames(index, names, drug);
      for (const of of drugCodes(index, names, drug)) {
        drugs.set(of, [...(drugs.get(of) ?? []), name]);
      }
    }
    drugsOfCodes.set(names, drugs);
  }
  return drugs.get(code) ?? [];
}

/** The name of a class; if no list names it, its drugs, which say as much of a class of one substance. */
export function className(index: Index, names: Names | null, at: number): string {
  const { code, name } = index.classes;
  return name[at] ?? (names ? drugsOfCode(index, names, code[at]!).join(", ") : "");
}
