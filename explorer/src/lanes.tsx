// "Which journals, since when": a lane a journal on a common time axis, below a histogram by year.
import { useMemo, useState } from "preact/hooks";
import type { Facts } from "./data.ts";
import { useDrugWords } from "./drug-words.ts";
import { Histogram } from "./histogram.tsx";
import { JournalLane } from "./lane.tsx";
import { Legend } from "./legend.tsx";
import { type Axis, axisOf, fullest, lanesOf } from "./marks.ts";
import { byFirstMention, type Filter, type JournalShare, type Years } from "./mentions.ts";
import { usePage } from "./page.ts";
import { YearNumbers } from "./year-bar.tsx";

const FIRST_SHOWN = 10;
const MORE = 50;

interface LanesProps {
  facts: Facts;
  /** Null if nothing has a date. */
  years: Years | null;
  /** The journals, those with the most mentions first. */
  shares: readonly JournalShare[];
  filter: Filter;
}

export function Lanes({ facts, years, shares, filter }: LanesProps) {
  const { index, route } = usePage();
  const words = useDrugWords().lanes;
  const [most, setMost] = useState(FIRST_SHOWN);
  const isByFirst = route.order === "first";
  const axis = useMemo(() => years && axisOf(years), [years]);
  const lanes = useMemo(() => {
    const ordered = isByFirst ? byFirstMention(shares) : shares;
    return axis && lanesOf(index, facts, withChosen(ordered, most, filter.journal), axis, filter);
  }, [index, facts, shares, isByFirst, most, filter, axis]);
  const left = shares.length - most;
  return (
    <section id="lanes" tabIndex={-1} aria-labelledby="lanes-heading">
      <h2 id="lanes-heading">{words.heading}</h2>
      {years && axis && lanes ? (
        <figure class="lanes">
          <div class="lane top">
            <Legend lanes={lanes} />
            <Histogram years={years} axis={axis} filter={filter} />
            <span class="most">{words.mostAYear(mostAYear(years.articles, years.trials))}</span>
          </div>
          <ol>
            {lanes.map((lane) => (
              <JournalLane
                key={lane.share.journal}
                lane={lane}
                axis={axis}
                most={fullest(lanes)}
                filter={filter}
              />
            ))}
          </ol>
          {lanes.length > FIRST_SHOWN && <AxisAgain axis={axis} />}
          {left > 0 && (
            <button class="act more" onClick={() => setMost(most + MORE)}>
              {words.more(Math.min(left, MORE))}
            </button>
          )}
          <LeftOut facts={facts} />
        </figure>
      ) : (
        <p class="dim">{words.noDates}</p>
      )}
    </section>
  );
}

/** The years again, where those above are far away. */
function AxisAgain({ axis }: { axis: Axis }) {
  return (
    <div class="lane again" aria-hidden="true">
      <svg height="18">
        <YearNumbers axis={axis} y={12} />
      </svg>
    </div>
  );
}

/** The first journals, and the chosen one wherever it stands. */
function withChosen(
  shares: readonly JournalShare[],
  most: number,
  chosen: number | undefined,
): JournalShare[] {
  return shares.filter(({ journal }, at) => at < most || journal === chosen);
}

function mostAYear(articles: readonly number[], trials: readonly number[]): number {
  return articles.reduce((most, count, at) => Math.max(most, count + trials[at]!), 0);
}

/** What to do with the figure, and in words what it does not show. */
function LeftOut({ facts }: { facts: Facts }) {
  const words = useDrugWords().lanes;
  const undated = facts.d.reduce<number>((sum, date) => sum + (date === null ? 1 : 0), 0);
  const withoutJournal = facts.j.reduce((sum, journal) => sum + (journal < 0 ? 1 : 0), 0);
  return (
    <figcaption class="dim">
      <span class="how">{words.how} </span>
      <span class="how" id="years-how">
        {words.yearsHow}{" "}
      </span>
      {undated > 0 && `${words.undated(undated, facts.d.length)} `}
      {withoutJournal > 0 && words.withoutJournal(withoutJournal)}
    </figcaption>
  );
}
