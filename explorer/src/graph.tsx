// The neighbourhood of a drug as a picture; each node is a link with its full name.
import { useMemo, useRef, useState } from "preact/hooks";
import { type Facts, textsOf } from "./data.ts";
import { useDrugWords } from "./drug-words.ts";
import { EdgeDate, GraphEdge, GraphNodeShape } from "./graph-shapes.tsx";
import { type Columns, type GraphNode, MOST_JOURNALS, MOST_PUBLICATIONS } from "./graph-nodes.ts";
import { layOut } from "./graph-layout.ts";
import { useLoaded } from "./hooks.ts";
import type { JournalShare } from "./mentions.ts";
import { usePage } from "./page.ts";
import { type Link, linksOf, type Relation, type Relations } from "./relating.ts";

/** Related drugs that are tried: not all are linked with the journals that are drawn. */
const CANDIDATES = 60;

interface NeighbourhoodProps {
  drug: number;
  facts: Facts;
  /** The mentions that are shown, and their journals, those with the most first. */
  rows: readonly number[];
  shares: readonly JournalShare[];
  /** Null while they are counted. */
  relations: Relations | null;
  /** The related drugs, the best first. */
  ranks: readonly Relation[];
}

export function Neighbourhood({ drug, facts, rows, shares, relations, ranks }: NeighbourhoodProps) {
  const { index } = usePage();
  const { graph: words } = useDrugWords();
  const isSmall = rows.length <= MOST_PUBLICATIONS;
  const { value: publications } = useLoaded(async () => {
    if (!isSmall) return null;
    const texts = await textsOf(index, drug, rows);
    return texts.map((text, at) => ({ row: rows[at]!, text }));
  }, [index, drug, rows]);
  const related = useMemo(() => {
    if (!relations) return [];
    const most = isSmall ? shares.length : MOST_JOURNALS;
    const drawn = new Set(shares.slice(0, most).map(({ journal }) => journal));
    const pairs = relations.pairs.filter(({ journal }) => drawn.has(journal));
    const best = ranks.slice(0, CANDIDATES);
    const links = linksOf(
      index,
      pairs,
      best.map((relation) => relation.drug),
    );
    // In proportion to what the journals publish: a large one has the most of nearly every drug.
    const strength = ({ journal, articles }: Link) => articles / index.journalMentions[journal]!;
    return best.map((relation) => ({
      relation,
      links: links.get(relation.drug)!.sort((one, other) => strength(other) - strength(one)),
    }));
  }, [index, relations, ranks, shares, isSmall]);
  const isReady = rows.length > 0 && (!isSmall || publications !== null);
  const newLayout = useMemo(
    () => (isReady ? layOut({ facts, publications, shares, related }) : null),
    [isReady, facts, publications, shares, related],
  );
  // While publications are read, the picture stays as it was: what is below must not jump.
  const lastLayout = useRef(newLayout);
  if (newLayout) lastLayout.current = newLayout;
  const layout = rows.length > 0 ? lastLayout.current : null;
  const [lit, setLit] = useState<GraphNode | null>(null);
  if (!layout) return null;
  const touched = new Set<GraphNode>();
  for (const { from, to } of layout.edges) {
    if (from === lit) touched.add(to);
    if (to === lit) touched.add(from);
  }
  const stateOf = (isTouched: boolean) => (lit === null ? "" : isTouched ? " lit" : " faded");
  const { width, height, columns } = layout;
  // Dates are above all lines.
  const edges = layout.edges.map((edge) => ({
    edge,
    facts,
    state: stateOf(edge.from === lit || edge.to === lit),
  }));
  return (
    <section class="neighbourhood" aria-labelledby="graph-heading">
      <h2 id="graph-heading">{words.heading}</h2>
      <p class="dim">{isSmall ? words.few : words.many}</p>
      <div class="scroll graph" data-graph="" tabIndex={0} role="region" aria-label={words.name}>
        <svg
          width={width}
          height={height}
          viewBox={`0 0 ${width} ${height}`}
          role="group"
          aria-label={words.name}
        >
          <Heads columns={columns} hasRelated={related.length > 0} />
          {edges.map((edge) => (
            <GraphEdge {...edge} />
          ))}
          {edges.map((edge) => (
            <EdgeDate {...edge} />
          ))}
          {layout.nodes.map((node) => (
            <GraphNodeShape
              node={node}
              drug={drug}
              facts={facts}
              total={rows.length}
              state={stateOf(node === lit || touched.has(node))}
              light={(on) => setLit(on ? node : null)}
            />
          ))}
        </svg>
      </div>
    </section>
  );
}

function Heads({ columns, hasRelated }: { columns: Columns; hasRelated: boolean }) {
  const { graph: words } = useDrugWords();
  const heads: [x: number | null, label: string][] = [
    [columns.drug, words.drug],
    [columns.publications, words.publications],
    [columns.journals, words.journals],
    [hasRelated ? columns.related : null, words.related],
  ];
  return (
    <g class="heads" aria-hidden="true">
      {heads.map(
        ([x, label]) =>
          x !== null && (
            <text x={x} y="12">
              {label}
            </text>
          ),
      )}
    </g>
  );
}
