// What a hit of the search is called, and where it leads.
import { className } from "./classes.ts";
import { drugId, drugNames } from "./data.ts";
import type { Page } from "./page.ts";
import type { Route } from "./route.ts";
import type { Hit } from "./search.ts";

export function hitName({ index, names }: Page, { kind, at }: Hit): string {
  if (kind === "drug") return drugNames(index, names, at)[0] ?? "";
  if (kind === "journal") return index.journals.name[at]!;
  return `${index.classes.code[at]} ${className(index, names, at)}`.trim();
}

export function hitPage({ index, names }: Page, { kind, at }: Hit): Partial<Route> {
  if (kind === "drug") return { drug: drugId(index, names, at) };
  if (kind === "journal") return { journal: index.journals.id[at]! };
  return { class: index.classes.code[at]! };
}

/** The name by which it was found, if that is not in what it is called. */
export function foundBy(page: Page, hit: Hit): string | null {
  return hitName(page, hit).includes(hit.label) ? null : hit.label;
}

export function hitMentions({ index }: Page, { kind, at }: Hit): number {
  const mentions = {
    drug: index.mentions,
    journal: index.journalMentions,
    class: index.classes.mentions,
  }[kind];
  return mentions[at] ?? 0;
}
