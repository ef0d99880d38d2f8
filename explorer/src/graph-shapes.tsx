// How the nodes and edges of the neighbourhood look, and what they are called.
import type { ComponentChildren } from "preact";
import type { Facts } from "./data.ts";
import { showDate, showMonth, showShare } from "./dates.ts";
import { type DrugWords } from "./words-drug.ts";
import { typeLabel, useDrugWords } from "./drug-words.ts";
import { rowId } from "./evidence-row.tsx";
import type { Edge, GraphNode } from "./graph-nodes.ts";
import { publicationLink } from "./links.ts";
import { isTrial } from "./mentions.ts";
import { type UsedPage, usePage } from "./page.ts";

const HEIGHT = 24;
/** Width of a letter, on average. */
const LETTER = 6.5;
const THINNEST = 1.3;
const THICKEST = 7;

interface EdgeProps {
  edge: Edge;
  facts: Facts;
  state: string;
}

/** A line; one to a journal says when. */
export function GraphEdge({ edge: { from, to, weight }, facts, state }: EdgeProps) {
  const { index, route } = usePage();
  const words = useDrugWords();
  const [x1, x2] = [from.x + from.width, to.x];
  const middle = (x1 + x2) / 2;
  const publication = from.kind === "publication" ? from : to.kind === "publication" ? to : null;
  const isOfTrial = publication !== null && isTrial(index, facts.t[publication.row]!);
  const kind = to.kind === "related" ? "related" : isOfTrial ? "trial" : "article";
  let when = "";
  if (to.kind === "journal" && publication) {
    const date = facts.d[publication.row]!;
    when = date === null ? words.evidence.noDate : showDate(date, route.lang);
  } else if (to.kind === "journal") {
    const { first } = to.share;
    when = first === null ? words.lanes.noDate : words.lanes.since(showMonth(first, route.lang));
  }
  const atEnd = publication === null;
  return (
    <g class={`edge ${kind}${state}`} aria-hidden="true">
      <path
        d={`M${x1},${from.y} C${middle},${from.y} ${middle},${to.y} ${x2},${to.y}`}
        stroke-width={THINNEST + (THICKEST - THINNEST) * weight}
      />
      {when && (
        <text x={atEnd ? x2 - 8 : x1 + 8} y={(atEnd ? to.y : from.y) - 5} class={atEnd ? "end" : ""}>
          {when}
        </text>
      )}
    </g>
  );
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
  const room = Math.floor((node.width - 22) / LETTER) - (note ? note.length + 2 : 0);
  const trial = node.kind === "publication" && isTrial(page.index, facts.t[node.row]!);
  const isRound = node.kind === "drug" || node.kind === "related" || !trial;
  return (
    <a
      class={`node ${node.kind}${trial ? " trial" : ""}${state}`}
      aria-label={name}
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
        rx={isRound && node.kind !== "journal" && node.kind !== "others" ? HEIGHT / 2 : 4}
      />
      <Label x={node.x + 11} y={node.y + 4}>
        {cut(label, room)}
      </Label>
      {note && (
        <text class="note" x={node.x + node.width - 10} y={node.y + 4}>
          {note}
        </text>
      )}
    </a>
  );
}

function Label({ x, y, children }: { x: number; y: number; children: ComponentChildren }) {
  return (
    <text x={x} y={y}>
      {children}
    </text>
  );
}

interface Described {
  /** In the picture; `note` stands at its end. */
  label: string;
  note?: string;
  /** In full. */
  name: string;
  href: string;
  target?: string;
  rel?: string;
  onClick?: (event: Event) => void;
}

interface Told {
  page: UsedPage;
  words: DrugWords;
  drug: number;
  facts: Facts;
  total: number;
}

function describe(node: GraphNode, { page, words, drug, facts, total }: Told): Described {
  const { index, route, to, change } = page;
  const share = (mentions: number) => showShare(mentions / total, route.lang);
  switch (node.kind) {
    case "drug": {
      const name = index.drugs.name[drug]!;
      return { label: name, name, href: to({ drug: index.drugs.id[drug]! }) };
    }
    case "publication": {
      const type = facts.t[node.row]!;
      const { id, title } = node.text;
      const date = facts.d[node.row]!;
      const when = date === null ? words.evidence.noDate : showDate(date, route.lang);
      const name = words.graph.publication(typeLabel(words, index, type), id, when, title);
      const address = publicationLink(index.types[type]!.links ?? null, id);
      if (address === null) return { label: title, name, ...leadsTo(rowId(node.row), change({})) };
      return { label: title, name, href: address, target: "_blank", rel: "noopener noreferrer" };
    }
    case "journal": {
      const { journal, mentions, first } = node.share;
      const since = first === null ? null : showMonth(first, route.lang);
      const label = index.journals.name[journal]!;
      const name = words.graph.journal(label, mentions, share(mentions), since);
      return { label, note: share(mentions), name, href: to({ journal: index.journals.id[journal]! }) };
    }
    case "others": {
      const name = words.graph.otherJournals(node.journals, share(node.mentions));
      return { label: name, name, ...leadsTo("lanes", change({})) };
    }
    case "related": {
      const { drug: other, shared } = node.relation;
      const label = index.drugs.name[other]!;
      const name = words.graph.relatedDrug(label, shared);
      return { label, name, href: to({ drug: index.drugs.id[other]! }) };
    }
  }
}

/** A link to another part of this view, whose address stays. */
function leadsTo(id: string, address: string): Pick<Described, "href" | "onClick"> {
  const onClick = (event: Event) => {
    event.preventDefault();
    const part = document.getElementById(id);
    part?.scrollIntoView();
    part?.focus({ preventScroll: true });
  };
  return { href: address, onClick };
}

function cut(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : text;
}
