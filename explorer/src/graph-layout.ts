// Where the neighbourhood of a drug is drawn: layers from left to right. A drug with few mentions
// shows its publications; one with many shows shares of journals, and the strongest links alone.
import type { Facts } from "./data.ts";
import {
  type Columns,
  type DrugNode,
  type Edge,
  type JournalNode,
  type Layout,
  type Linked,
  MOST_JOURNALS,
  MOST_LINKS,
  MOST_RELATED,
  type OthersNode,
  type Publication,
  type PublicationNode,
  type RelatedNode,
} from "./graph-nodes.ts";
import type { JournalShare } from "./mentions.ts";

const ROW = 34;
const HEADS = 26;
const MARGIN = 8;
const FEWEST_ROWS = 3;

const WITH_PUBLICATIONS: Columns = { drug: 1, publications: 222, journals: 602, related: 964 };
const WITHOUT: Columns = { drug: 1, publications: null, journals: 390, related: 964 };
const DRUG_WIDTH = 170;
const PUBLICATION_WIDTH = 240;
const RELATED_WIDTH = 200;
const journalWidth = (columns: Columns) => (columns.publications === null ? 360 : 280);

interface Neighbourhood {
  facts: Facts;
  /** The mentions one by one; null if there are too many. */
  publications: readonly Publication[] | null;
  /** Journals, those with the most mentions first. */
  shares: readonly JournalShare[];
  /** Related drugs, the best first. */
  related: readonly Linked[];
}

export function layOut({ facts, publications, shares, related }: Neighbourhood): Layout {
  const columns = publications ? WITH_PUBLICATIONS : WITHOUT;
  const chosen = publications
    ? journalsOf(facts, publications, shares)
    : shares.slice(0, MOST_JOURNALS);
  const rest = publications ? [] : shares.slice(MOST_JOURNALS);
  const linked = strongest(related, chosen);
  const boxes = chosen.length + (rest.length > 0 ? 1 : 0);
  const rows = Math.max(publications?.length ?? 0, boxes, linked.length, FEWEST_ROWS);
  const place = (at: number, of: number) => HEADS + ((at + 0.5) * rows * ROW) / of;

  const drug: DrugNode = { kind: "drug", x: columns.drug, y: place(0, 1), width: DRUG_WIDTH };
  const ofPublications = (publications ?? []).map((publication, at, { length }) => {
    const box = { x: columns.publications ?? 0, y: place(at, length), width: PUBLICATION_WIDTH };
    return { kind: "publication", ...box, ...publication } satisfies PublicationNode;
  });
  const ofJournals = chosen.map((share, at) => {
    const box = { x: columns.journals, y: place(at, boxes), width: journalWidth(columns) };
    return { kind: "journal", ...box, share } satisfies JournalNode;
  });
  const others: OthersNode[] = [];
  if (rest.length > 0) {
    const mentions = rest.reduce((sum, share) => sum + share.mentions, 0);
    const box = { x: columns.journals, y: place(boxes - 1, boxes), width: journalWidth(columns) };
    others.push({ kind: "others", ...box, journals: rest.length, mentions });
  }
  const ofRelated = near(linked, ofJournals).map((one, at) => {
    const box = { x: columns.related, y: place(at, linked.length), width: RELATED_WIDTH };
    return { kind: "related", ...box, ...one } satisfies RelatedNode;
  });
  return {
    nodes: [drug, ...ofPublications, ...ofJournals, ...others, ...ofRelated],
    edges: edgesOf(facts, drug, ofPublications, ofJournals, ofRelated),
    width: columns.related + RELATED_WIDTH + 1,
    height: HEADS + rows * ROW + MARGIN,
    columns,
  };
}

/** The journals of these publications, each near them, so that few lines cross. */
function journalsOf(
  facts: Facts,
  publications: readonly Publication[],
  shares: readonly JournalShare[],
): JournalShare[] {
  const middle = ({ journal, mentions }: JournalShare) =>
    publications.reduce((sum, { row }, at) => sum + (facts.j[row] === journal ? at : 0), 0) /
    mentions;
  return [...shares].sort((one, other) => middle(one) - middle(other));
}

/** The best related drugs of these journals, each with its strongest links to them. */
function strongest(related: readonly Linked[], journals: readonly JournalShare[]): Linked[] {
  const drawn = new Set(journals.map(({ journal }) => journal));
  return related
    .map(({ relation, links }) => ({
      relation,
      links: links.filter(({ journal }) => drawn.has(journal)).slice(0, MOST_LINKS),
    }))
    .filter(({ links }) => links.length > 0)
    .slice(0, MOST_RELATED);
}

/** In the order of the journals that they are linked with, so that few lines cross. */
function near(related: readonly Linked[], journals: readonly JournalNode[]): Linked[] {
  const heights = new Map(journals.map((node) => [node.share.journal, node.y]));
  const middle = ({ links }: Linked) =>
    links.reduce((sum, { journal }) => sum + heights.get(journal)!, 0) / links.length;
  return [...related].sort((one, other) => middle(one) - middle(other));
}

function edgesOf(
  facts: Facts,
  drug: DrugNode,
  publications: readonly PublicationNode[],
  journals: readonly JournalNode[],
  related: readonly RelatedNode[],
): Edge[] {
  const nodeOf = new Map(journals.map((node) => [node.share.journal, node]));
  const most = journals.reduce((one, { share }) => Math.max(one, share.mentions), 1);
  const edges: Edge[] = publications.map((to) => ({ from: drug, to, weight: 0 }));
  for (const from of publications) {
    const to = nodeOf.get(facts.j[from.row]!);
    if (to) edges.push({ from, to, weight: 0 });
  }
  if (publications.length === 0) {
    for (const to of journals) edges.push({ from: drug, to, weight: to.share.mentions / most });
  }
  for (const to of related) {
    for (const { journal } of to.links) edges.push({ from: nodeOf.get(journal)!, to, weight: 0 });
  }
  return edges;
}
