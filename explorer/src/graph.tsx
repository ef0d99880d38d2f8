// The neighbourhood of a drug as a picture; each node is a link with its full name.
import { useMemo, useState } from "preact/hooks";
import { type Facts, textsOf } from "./data.ts";
import { useDrugWords } from "./drug-words.ts";
import { GraphEdge, GraphNodeShape } from "./graph-shapes.tsx";
import { type Columns, type GraphNode, MOST_PUBLICATIONS } from "./graph-nodes.ts";
import { layOut } from "./graph-layout.ts";
import { useLoaded } from "./hooks.ts";
import type { JournalShare } from "./mentions.ts";
import { usePage } from "./page.ts";
import { orderOf } from "./related.tsx";
import { linksOf, ranked, type Relations } from "./relating.ts";

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
}

export function Neighbourhood({ drug, facts, rows, shares, relations }: NeighbourhoodProps) {
  const { index, route } = usePage();
  const { graph: words } = useDrugWords();
  const isSmall = rows.length <= MOST_PUBLICATIONS;
  const { value: publications } = useLoaded(async () => {
    if (!isSmall) return null;
    const texts = await textsOf(index, drug, rows);
    return texts.map((text, at) => ({ row: rows[at]!, text }));
  }, [index, drug, rows]);
  const order = orderOf(route);
  const related = useMemo(() => {
    if (!relations) return [];
    const best = ranked(relations.related, order).slice(0, CANDIDATES);
    const links = linksOf(index, relations, best.map((relation) => relation.drug));
    return best.map((relation) => ({ relation, links: links.get(relation.drug)! }));
  }, [index, relations, order]);
  const isReady = rows.length > 0 && (!isSmall || publications !== null);
  const layout = useMemo(
    () => (isReady ? layOut({ facts, publications, shares, related }) : null),
    [isReady, facts, publications, shares, related],
  );
  const [lit, setLit] = useState<GraphNode | null>(null);
  if (!layout) return null;
  const touched = new Set<GraphNode>();
  for (const { from, to } of layout.edges) {
    if (from === lit) touched.add(to);
    if (to === lit) touched.add(from);
  }
  const stateOf = (isTouched: boolean) => (lit === null ? "" : isTouched ? " lit" : " faded");
  const { width, height, columns } = layout;
  return (
    <section class="neighbourhood" aria-labelledby="graph-heading">
      <h2 id="graph-heading">{words.heading}</h2>
      <p class="dim">{isSmall ? words.few : words.many}</p>
      <div class="scroll graph" data-graph="" tabIndex={0} role="region" aria-label={words.name}>
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
          <Heads columns={columns} hasRelated={related.length > 0} />
          {layout.edges.map((edge) => (
            <GraphEdge
              edge={edge}
              facts={facts}
              state={stateOf(edge.from === lit || edge.to === lit)}
            />
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
      {heads.map(([x, label]) => x !== null && <text x={x} y="12">{label}</text>)}
    </g>
  );
}
