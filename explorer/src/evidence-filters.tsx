// What filters the evidence, each with how many mentions it leaves. All of it is in the address.
import { useMemo } from "preact/hooks";
import { Choice } from "./choice.tsx";
import type { Facts } from "./data.ts";
import { showNumber } from "./dates.ts";
import { typeLabel, useDrugWords } from "./drug-words.ts";
import { Chips } from "./evidence-chips.tsx";
import { countYears, type Filter, rowsThatPass } from "./mentions.ts";
import { usePage } from "./page.ts";
import { go } from "./route.ts";

export function EvidenceFilters({ facts, filter }: { facts: Facts; filter: Filter }) {
  const { index, route } = usePage();
  const words = useDrugWords();
  const counted = (label: string, count: number) => `${label} ${showNumber(count, route.lang)}`;
  // Without the filter itself: what each of its values would leave.
  const { byType, all, fresh, retracted } = useMemo(() => {
    const { type: _, ...others } = filter;
    const rows = rowsThatPass(facts, others);
    const counts = index.types.map(() => 0);
    for (const row of rows) counts[facts.t[row]!]!++;
    return {
      byType: counts,
      all: rows.length,
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
      <span class="years">
        <YearChoice facts={facts} which="from" label={words.evidence.from} />{" "}
        <YearChoice facts={facts} which="to" label={words.evidence.to} />
      </span>
      <Chips filter={filter} />
      <UndatedLeftOut facts={facts} filter={filter} />
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
  facts: Facts;
  which: "from" | "to";
  label: string;
}

/** The first or the last year. */
function YearChoice({ facts, which, label }: YearChoiceProps) {
  const { index, route } = usePage();
  const words = useDrugWords();
  const chosen = route[which];
  const years = useMemo(() => {
    const counted = countYears(index, facts);
    if (!counted) return [];
    const all = counted.articles.map((_, at) => counted.first + at);
    return chosen === undefined || all.includes(chosen) ? all : [chosen, ...all];
  }, [index, facts, chosen]);
  if (years.length < 2) return null;
  return (
    <label class="year">
      {label}{" "}
      <select
        value={String(chosen ?? "")}
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

function UndatedLeftOut({ facts, filter }: { facts: Facts; filter: Filter }) {
  const words = useDrugWords();
  const { from, to, ...others } = filter;
  if (from === undefined && to === undefined) return null;
  const undated = rowsThatPass(facts, others).filter((row) => facts.d[row] === null).length;
  return undated > 0 ? <span class="dim">{words.evidence.withoutDates(undated)}</span> : null;
}
