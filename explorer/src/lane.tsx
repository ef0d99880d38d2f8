// One lane: a journal, since when, its mentions on the time axis.
import { isoDay, precisionOf, showDate, showMonth, showNumber } from "./dates.ts";
import { useDrugWords } from "./drug-words.ts";
import {
  type Axis,
  type Lane,
  type Mark,
  percent,
  placeOf,
  sizeOf,
  type YearCell,
} from "./marks.ts";
import { type Filter, isInYears } from "./mentions.ts";
import { usePage } from "./page.ts";
import { go } from "./route.ts";

const HEIGHT = 24;
const MIDDLE = HEIGHT / 2;
const RADIUS = 4.6;

interface LaneProps {
  lane: Lane;
  axis: Axis;
  /** The mentions of the darkest cell. */
  most: number;
  filter: Filter;
}

export function JournalLane({ lane, axis, most, filter }: LaneProps) {
  const { index, route } = usePage();
  const { lanes: words } = useDrugWords();
  const { journal, mentions, first, last } = lane.share;
  const id = index.journals.id[journal]!;
  const isChosen = filter.journal === journal;
  const since = first === null ? words.noDate : words.since(showMonth(first, route.lang));
  const isOn = ({ year }: YearCell) =>
    (filter.journal === undefined || isChosen) && isInYears(year, year, filter);
  const latest = last === null ? null : showMonth(last, route.lang);
  return (
    <li class={`lane${isChosen ? " chosen" : ""}`} data-journal={id}>
      <button
        class="pick"
        aria-pressed={isChosen}
        onClick={() => go({ ...route, in: isChosen ? undefined : id })}
      >
        {index.journals.name[journal]}
      </button>
      <span class="since">{since}</span>
      <svg height={HEIGHT} aria-hidden="true">
        {axis.ticks.map((year) => {
          const x = percent((year - axis.first + 0.5) / axis.span);
          return <line class="tick" x1={x} x2={x} y1="0" y2={HEIGHT} />;
        })}
        {first !== null && last !== null && (
          <line
            class="life"
            x1={percent(placeOf(axis, first))}
            x2={percent(placeOf(axis, last))}
            y1={MIDDLE}
            y2={MIDDLE}
          />
        )}
        {lane.cells?.map((cell) => (
          <CellShape cell={cell} axis={axis} most={most} isOn={isOn(cell)} />
        ))}
        {lane.marks.map((mark) => (
          <MarkShape mark={mark} y={MIDDLE} title={showDate(mark.date, route.lang)} />
        ))}
      </svg>
      <span class="count">
        <span aria-hidden="true">{showNumber(mentions, route.lang)}</span>
        <span class="sr">{words.lane(mentions, latest)}</span>
      </span>
    </li>
  );
}

/** A circle for an article, a diamond for a trial; hollow if the day is not known. */
export function MarkShape({ mark, y, title }: { mark: Mark; y: number; title?: string }) {
  const kind = `${mark.trial ? "trial" : "article"}${mark.vague ? " vague" : ""}`;
  const told = {
    "data-mark": "",
    "data-date": isoDay(mark.date),
    "data-precision": precisionOf(mark.date),
    ...(mark.vague && { "data-hollow": "" }),
  };
  return (
    <svg
      class={`mark${mark.isOn ? "" : " off"}`}
      x={percent(mark.at)}
      y={y}
      {...(title !== undefined && told)}
    >
      {title !== undefined && <title>{title}</title>}
      {mark.fresh && <circle class="ring" r={RADIUS + 3} />}
      {mark.trial ? (
        <path class={kind} d="M0,-6 L6,0 L0,6 L-6,0 Z" />
      ) : (
        <circle class={kind} r={RADIUS} />
      )}
      {mark.retracted && <path class="struck" d="M-7,7 L7,-7" />}
    </svg>
  );
}

interface CellProps {
  cell: YearCell;
  axis: Axis;
  most: number;
  isOn: boolean;
}

/** The mentions of a year: the more, the darker. */
function CellShape({ cell, axis, most, isOn }: CellProps) {
  const { lanes: words } = useDrugWords();
  const at = (cell.year - axis.first) / axis.span;
  const darkness = 0.12 + 0.88 * Math.sqrt(sizeOf(cell) / most);
  return (
    <rect
      class={`cell${isOn ? "" : " off"}`}
      x={percent(at)}
      width={percent(1 / axis.span)}
      y="2"
      height={HEIGHT - 4}
      fill-opacity={darkness}
      data-cell=""
      data-year={cell.year}
      data-mentions={sizeOf(cell)}
    >
      <title>{words.year(cell.year, cell.articles, cell.trials)}</title>
    </rect>
  );
}
