// What filters the evidence, each with how many mentions it leaves. All of it is in the address.
import { useMemo } from "preact/hooks";
import { Choice } from "./choice.tsx";
import type { Facts } from "./data.ts";
import { isFiltered, NO_FILTER } from "./drug-filter.ts";
import { typeLabel, useDrugWords } from "./drug-words.ts";
import { showNumber, yearOf } from "./dates.ts";
import { type Filter, rowsThatPass } from "./mentions.ts";
import { usePage } from "./page.ts";
import { go, type Route } from "./route.ts";

export function EvidenceFilters({ facts, filter }: { facts: Facts; filter: Filter }) {
  const { index, route } = usePage();
  const words = useDrugWords();
  const counted = (label: string, count: number) => `${label} ${showNumber(count, route.lang)}`;
  // Without the filter itself: what each of its values would leave.
  const { byType, all, fresh } = useMemo(() => {
    const { type: _, ...others } = filter;
    const rows = rowsThatPass(facts, others);
    const counts = index.types.map(() => 0);
    for (const row of rows) counts[facts.t[row]!]!++;
    return {
      byType: counts,
      all: rows.length,
      fresh: rowsThatPass(facts, { ...filter, fresh: true }).length,
    };
  }, [facts, filter]);
  const options = index.types.map(({ type }, at) => ({
    value: type as string | undefined,
    label: counted(typeLabel(words, index, at, true), byType[at]!),
  }));
  return (
    <div class="bar filters">
      <Choice
        label={words.evidence.type}
        chosen={route.type}
        options={[{ value: undefined, label: counted(words.evidence.all, all) }, ...options]}
        choose={(type) => go({ ...route, type })}
      />
      {(fresh > 0 || route.new) && (
        <button
          class="act toggle"
          aria-pressed={route.new === true}
          onClick={() => go({ ...route, new: route.new ? undefined : true })}
        >
          {counted(words.evidence.fresh, fresh)}
        </button>
      )}
      <YearChoice facts={facts} which="from" label={words.evidence.from} />
      <YearChoice facts={facts} which="to" label={words.evidence.to} />
      <Chips filter={filter} />
      <UndatedLeftOut facts={facts} filter={filter} />
    </div>
  );
}

interface YearChoiceProps {
  facts: Facts;
  which: "from" | "to";
  label: string;
}

/** The first or the last year. */
function YearChoice({ facts, which, label }: YearChoiceProps) {
  const { route } = usePage();
  const words = useDrugWords();
  const years = useMemo(() => {
    const all = new Set<number>();
    for (const date of facts.d) if (date !== null) all.add(yearOf(date));
    return [...all].sort((one, other) => one - other);
  }, [facts]);
  if (years.length < 2) return null;
  return (
    <label class="year">
      {label}{" "}
      <select
        value={String(route[which] ?? "")}
        onChange={({ currentTarget }) =>
          go({ ...route, [which]: currentTarget.value ? Number(currentTarget.value) : undefined })
        }
      >
        <option value="">{words.evidence.any}</option>
        {years.map((year) => (
          <option value={String(year)}>{year}</option>
        ))}
      </select>
    </label>
  );
}

/** What filters now; each can be taken away. */
function Chips({ filter }: { filter: Filter }) {
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
    const label = index.types[filter.type!] ? typeLabel(words, index, filter.type!, true) : route.type;
    chips.push([label, { type: undefined }]);
  }
  if (route.new) chips.push([words.evidence.fresh, { new: undefined }]);
  return (
    <span class="chips">
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

function UndatedLeftOut({ facts, filter }: { facts: Facts; filter: Filter }) {
  const words = useDrugWords();
  const { from, to, ...others } = filter;
  if (from === undefined && to === undefined) return null;
  const undated = rowsThatPass(facts, others).filter((row) => facts.d[row] === null).length;
  return undated > 0 ? <span class="dim">{words.evidence.withoutDates(undated)}</span> : null;
}
