// One year of the histogram: its bar, and the option that chooses it.
import { useDrugWords } from "./drug-words.ts";
import { type Axis, percent } from "./marks.ts";

export const BAR_HEIGHT = 92;

interface YearProps {
  axis: Axis;
  year: number;
  articles: number;
  trials: number;
  /** Height of one mention. */
  scale: number;
  isOn: boolean;
  isActive: boolean;
  /** Whether years are selected at all. */
  isSelected: boolean;
}

export function YearBar({
  axis,
  year,
  articles,
  trials,
  scale,
  isOn,
  isActive,
  isSelected,
}: YearProps) {
  const words = useDrugWords();
  const label = words.lanes.year(year, articles, trials);
  const at = (year - axis.first) / axis.span;
  const bar = { x: percent(at + 0.12 / axis.span), width: percent(0.76 / axis.span) };
  const heightOf = (count: number) => (count > 0 ? Math.max(2, count * scale) : 0);
  return (
    <g
      id={`year-${year}`}
      role="option"
      aria-label={label}
      aria-selected={isSelected && isOn}
      class={`year${isOn ? "" : " off"}${isActive ? " active" : ""}`}
    >
      <title>{label}</title>
      <rect class="room" x={percent(at)} width={percent(1 / axis.span)} height={BAR_HEIGHT} />
      <rect
        class="article"
        {...bar}
        y={BAR_HEIGHT - heightOf(articles)}
        height={heightOf(articles)}
      />
      <rect
        class="trial"
        {...bar}
        y={BAR_HEIGHT - heightOf(articles) - heightOf(trials)}
        height={heightOf(trials)}
      />
    </g>
  );
}

/** Some of the years, below the axis. */
export function YearNumbers({ axis, y }: { axis: Axis; y: number }) {
  return (
    <g class="years-below">
      {axis.ticks.map((year) => (
        <text x={percent((year - axis.first + 0.5) / axis.span)} y={y}>
          {year}
        </text>
      ))}
    </g>
  );
}
