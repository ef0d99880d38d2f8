// What filters the evidence, each with how many mentions it leaves. All of it is in the address.
import { useMemo } from "preact/hooks";
import { Choice } from "./choice.tsx";
import type { Facts } from "./data.ts";
import { showNumber } from "./dates.ts";
import { typeLabel, useDrugWords } from "./drug-words.ts";
import { Chips } from "./evidence-chips.tsx";
import { countOpen, type Filter, rowsThatPass, type Years } from "./mentions.ts";
import { usePage } from "./page.ts";
import { go } from "./route.ts";

interface FiltersProps {
  facts: Facts;
  /** Null if nothing has a date. */
  years: Years | null;
  /** Those that pass the filter. */
  rows: readonly number[];
  filter: Filter;
}

export function EvidenceFilters({ facts, years, rows, filter }: FiltersProps) {
  const { index, route } = usePage();
  const words = useDrugWords();
  const counted = (label: string, count: number) => `${label} ${showNumber(count, route.lang)}`;
  // Without the filter itself: what each of its values would leave.
  const { byType, all, fresh, retracted } = useMemo(() => {
    const { type: _, ...others } = filter;
    const ofAllTypes = rowsThatPass(facts, others);
    const counts = index.types.map(() => 0);
    for (const row of ofAllTypes) counts[facts.t[row]!]!++;
    return {
      byType: counts,
      all: ofAllTypes.length,
      fresh: rowsThatPass(facts, { ...filter, fresh: true }).length,
      retracted: rowsThatPass(facts, { ...filter, retracted: true }).length,
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
      <Toggle mark="new" label={words.evidence.fresh} count={fresh} />
      <Toggle mark="retracted" label={words.evidence.retractedOnes} count={retracted} />
      {years && years.last > years.first && (
        <span class="years">
          <YearChoice years={years} which="from" label={words.evidence.from} />
          <YearChoice years={years} which="to" label={words.evidence.to} />
        </span>
      )}
      <Chips filter={filter} />
      <UndatedLeftOut facts={facts} filter={filter} />
      <OpenCounted facts={facts} rows={rows} filter={filter} />
    </div>
  );
}

interface ToggleProps {
  mark: "new" | "retracted";
  label: string;
  /** What it leaves. */
  count: number;
}

/** Leaves only mentions of a kind; not there where there are none. */
function Toggle({ mark, label, count }: ToggleProps) {
  const { route } = usePage();
  const isOn = route[mark] === true;
  if (count === 0 && !isOn) return null;
  return (
    <button
      class="act toggle"
      aria-pressed={isOn}
      onClick={() => go({ ...route, [mark]: isOn ? undefined : true })}
    >
      {label} {showNumber(count, route.lang)}
    </button>
  );
}

interface YearChoiceProps {
  years: Years;
  which: "from" | "to";
  label: string;
}

/** The first or the last year. */
function YearChoice({ years, which, label }: YearChoiceProps) {
  const { route } = usePage();
  const words = useDrugWords();
  const chosen = route[which];
  const known = years.articles.map((_, at) => years.first + at);
  const options = chosen === undefined || known.includes(chosen) ? known : [chosen, ...known];
  return (
    <label>
      {label}{" "}
      <select
        value={String(chosen ?? "")}
        onChange={({ currentTarget }) =>
          go({ ...route, [which]: currentTarget.value ? Number(currentTarget.value) : undefined })
        }
      >
        <option value="">{words.evidence.any}</option>
        {options.map((year) => (
          <option value={String(year)}>{year}</option>
        ))}
      </select>
    </label>
  );
}

function UndatedLeftOut({ facts, filter }: { facts: Facts; filter: Filter }) {
  const words = useDrugWords();
  const { from, to, ...others } = filter;
  if (from === undefined && to === undefined) return null;
  const undated = rowsThatPass(facts, others).filter((row) => facts.d[row] === null).length;
  return undated > 0 ? <span class="dim">{words.evidence.withoutDates(undated)}</span> : null;
}

/** Of what is shown, what only may lie in the years. */
function OpenCounted({ facts, rows, filter }: Omit<FiltersProps, "years">) {
  const words = useDrugWords();
  const open = useMemo(() => countOpen(facts, rows, filter), [facts, rows, filter]);
  return open > 0 ? <span class="dim">{words.evidence.mayLieOutside(open)}</span> : null;
}
