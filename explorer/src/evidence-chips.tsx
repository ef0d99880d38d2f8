// The filters that are on, each with a button that takes it away.
import { isFiltered, NO_FILTER } from "./drug-filter.ts";
import { typeLabel, useDrugWords } from "./drug-words.ts";
import type { Filter } from "./mentions.ts";
import { usePage } from "./page.ts";
import { go, type Route } from "./route.ts";

export function Chips({ filter }: { filter: Filter }) {
  const { index, route } = usePage();
  const words = useDrugWords();
  if (!isFiltered(route)) return null;
  const { from, to } = filter;
  const chips: [label: string, without: Partial<Route>][] = [];
  if (route.in !== undefined) {
    chips.push([index.journals.name[filter.journal!] ?? route.in, { in: undefined }]);
  }
  if (from !== undefined || to !== undefined) {
    const stretch = from === to ? String(from) : `${from ?? "…"}–${to ?? "…"}`;
    chips.push([stretch, { from: undefined, to: undefined }]);
  }
  if (route.type !== undefined) {
    const label = index.types[filter.type!]
      ? typeLabel(words, index, filter.type!, true)
      : route.type;
    chips.push([label, { type: undefined }]);
  }
  if (route.new) chips.push([words.evidence.fresh, { new: undefined }]);
  if (route.retracted) chips.push([words.evidence.retractedOnes, { retracted: undefined }]);
  return (
    <span class="chips">
      <span class="printed">{chips.map(([label]) => label).join(" · ")}</span>
      {chips.map(([label, without]) => (
        <button
          class="chip x"
          aria-label={words.evidence.remove(label)}
          onClick={() => go({ ...route, ...without })}
        >
          {label} <span aria-hidden="true">✕</span>
        </button>
      ))}
      {chips.length > 1 && (
        <button class="act" onClick={() => go({ ...route, ...NO_FILTER })}>
          {words.evidence.removeAll}
        </button>
      )}
    </span>
  );
}
