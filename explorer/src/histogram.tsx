// Mentions by year, and the choice of years: by pointer (a click, or a stroke over several), and by
// keyboard (arrow keys, Enter; Shift for several).
import { useState } from "preact/hooks";
import { NO_FILTER } from "./drug-filter.ts";
import { useDrugWords } from "./drug-words.ts";
import type { Axis } from "./marks.ts";
import type { Filter, Years } from "./mentions.ts";
import { usePage } from "./page.ts";
import { go } from "./route.ts";
import { BAR_HEIGHT, YearBar, YearNumbers } from "./year-bar.tsx";

const ROOM_FOR_YEARS = 20;

/** Years from one to another, in any order. */
type Stretch = readonly [from: number, to: number];

export function Histogram({ years, axis, filter }: { years: Years; axis: Axis; filter: Filter }) {
  const { route } = usePage();
  const words = useDrugWords();
  const [active, setActive] = useState(filter.from ?? years.last);
  const [stroke, setStroke] = useState<Stretch | null>(null);
  const counts = years.articles.map((articles, at) => articles + years.trials[at]!);
  const most = counts.reduce((one, other) => Math.max(one, other));
  const shown = stroke ?? stretchOf(filter, years);

  const choose = ([one, other]: Stretch) => {
    const from = Math.min(one, other);
    const to = Math.max(one, other);
    const isChosen = filter.from === from && filter.to === to;
    go({ ...route, ...(isChosen ? { from: undefined, to: undefined } : { from, to }) });
  };
  const yearAt = (event: PointerEvent) => {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
    const at = Math.floor((axis.span * (event.clientX - left)) / width);
    return axis.first + Math.min(Math.max(at, 0), axis.span - 1);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      Home: -axis.span,
      End: axis.span,
    };
    const step = steps[event.key];
    if (step !== undefined) {
      const next = Math.min(Math.max(active + step, years.first), years.last);
      setActive(next);
      setStroke(event.shiftKey ? [stroke?.[0] ?? active, next] : null);
    } else if (event.key === "Enter" || event.key === " ") {
      choose(stroke ?? [active, active]);
      setStroke(null);
    } else if (event.key === "Escape") {
      setStroke(null);
      go({ ...route, from: NO_FILTER.from, to: NO_FILTER.to });
    } else return;
    event.preventDefault();
  };

  return (
    <svg
      class="histogram"
      height={BAR_HEIGHT + ROOM_FOR_YEARS}
      role="listbox"
      tabindex={0}
      aria-label={words.lanes.years}
      aria-describedby="years-how"
      aria-multiselectable="true"
      aria-activedescendant={`year-${active}`}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        const year = yearAt(event);
        event.currentTarget.setPointerCapture(event.pointerId);
        setActive(year);
        setStroke([year, year]);
      }}
      onPointerMove={(event) => stroke && event.buttons && setStroke([stroke[0], yearAt(event)])}
      onPointerUp={() => {
        if (stroke) choose(stroke);
        setStroke(null);
      }}
      onPointerCancel={() => setStroke(null)}
    >
      <g aria-hidden="true">
        <line class="base" x1="0" x2="100%" y1={BAR_HEIGHT} y2={BAR_HEIGHT} />
        <YearNumbers axis={axis} y={BAR_HEIGHT + 15} />
      </g>
      {counts.map((_, at) => {
        const year = years.first + at;
        return (
          <YearBar
            axis={axis}
            year={year}
            articles={years.articles[at]!}
            trials={years.trials[at]!}
            scale={(BAR_HEIGHT - 8) / most}
            isOn={isBetween(year, shown)}
            isActive={year === active}
            isSelected={stroke !== null || filter.from !== undefined || filter.to !== undefined}
          />
        );
      })}
    </svg>
  );
}

function stretchOf({ from, to }: Filter, years: Years): Stretch {
  return [from ?? years.first, to ?? years.last];
}

function isBetween(year: number, [one, other]: Stretch): boolean {
  return year >= Math.min(one, other) && year <= Math.max(one, other);
}
