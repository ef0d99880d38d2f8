// How the nodes and edges of the neighbourhood look.
import type { Facts } from "./data.ts";
import { showDate, showMonth } from "./dates.ts";
import { useDrugWords } from "./drug-words.ts";
import { describe } from "./graph-names.ts";
import type { Edge, GraphNode } from "./graph-nodes.ts";
import { isTrial } from "./mentions.ts";
import { usePage } from "./page.ts";
import { fitted } from "./text-width.ts";

const HEIGHT = 24;
const FONT = "12.5px";
/** Width of a letter of a date, at most. */
const SMALL_LETTER = 6.2;
/** Width of a share. */
const NOTE = 44;
/** Left and right of a text. */
const PADDING = 11;
const THINNEST = 1.3;
const THICKEST = 7;

interface EdgeProps {
  edge: Edge;
  facts: Facts;
  state: string;
}

export function GraphEdge({ edge, facts, state }: EdgeProps) {
  const { index } = usePage();
  const { from, to, weight } = edge;
  const date = useDate({ edge, facts });
  const x1 = from.x + from.width;
  // A date at the end stands between the line and its journal.
  const x2 = to.x - (date?.isAtEnd ? date.text.length * SMALL_LETTER + PADDING : 0);
  const middle = (x1 + x2) / 2;
  const publication = from.kind === "publication" ? from : to.kind === "publication" ? to : null;
  const isOfTrial = publication !== null && isTrial(index, facts.t[publication.row]!);
  const kind = to.kind === "related" ? "related" : isOfTrial ? "trial" : "article";
  return (
    <path
      class={`edge ${kind}${state}`}
      d={`M${x1},${from.y} C${middle},${from.y} ${middle},${to.y} ${x2},${to.y}`}
      stroke-width={THINNEST + (THICKEST - THINNEST) * weight}
      aria-hidden="true"
    />
  );
}

export function EdgeDate({ edge, facts, state }: EdgeProps) {
  const date = useDate({ edge, facts });
  if (date === null) return null;
  const { from, to } = edge;
  const place = date.isAtEnd
    ? { x: to.x - PADDING / 2, y: to.y + 4, class: "end" }
    : { x: from.x + from.width + 8, y: from.y - 5 };
  return (
    <g class={`when${state}`} aria-hidden="true">
      <text {...place}>{date.text}</text>
    </g>
  );
}

/** What an edge to a journal says: when the publication came out, or since when it mentions it. */
function useDate({ edge: { from, to }, facts }: Pick<EdgeProps, "edge" | "facts">) {
  const { route } = usePage();
  const words = useDrugWords();
  if (to.kind !== "journal") return null;
  const isAtEnd = from.kind !== "publication";
  const date = isAtEnd ? to.share.first : facts.d[from.row]!;
  if (date === null) return { text: words.evidence.noDate, isAtEnd };
  const text = isAtEnd
    ? words.lanes.since(showMonth(date, route.lang))
    : showDate(date, route.lang);
  return { text, isAtEnd };
}

interface NodeProps {
  node: GraphNode;
  drug: number;
  facts: Facts;
  /** The mentions of which journals have a share. */
  total: number;
  state: string;
  light: (on: boolean) => void;
}

export function GraphNodeShape({ node, drug, facts, total, state, light }: NodeProps) {
  const page = usePage();
  const words = useDrugWords();
  const { label, note, name, ...link } = describe(node, { page, words, drug, facts, total });
  const room = node.width - 2 * PADDING - (note ? NOTE : 0);
  const font = node.kind === "drug" ? `600 ${FONT}` : FONT;
  const trial = node.kind === "publication" && isTrial(page.index, facts.t[node.row]!);
  const isSquare = node.kind === "journal" || node.kind === "others" || trial;
  return (
    <a
      class={`node ${node.kind}${trial ? " trial" : ""}${state}`}
      {...link}
      onMouseEnter={() => light(true)}
      onMouseLeave={() => light(false)}
      onFocus={() => light(true)}
      onBlur={() => light(false)}
    >
      <title>{name}</title>
      <rect
        x={node.x}
        y={node.y - HEIGHT / 2}
        width={node.width}
        height={HEIGHT}
        rx={isSquare ? 4 : HEIGHT / 2}
      />
      <g aria-hidden="true">
        <text x={node.x + PADDING} y={node.y + 4}>
          {fitted(label, room, font)}
        </text>
        {note && (
          <text class="note" x={node.x + node.width - PADDING} y={node.y + 4}>
            {note}
          </text>
        )}
      </g>
    </a>
  );
}
