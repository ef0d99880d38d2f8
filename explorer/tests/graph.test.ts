import assert from "node:assert/strict";
import { test } from "node:test";
import type { Facts } from "../src/data.ts";
import { layOut } from "../src/graph-layout.ts";
import { type GraphNode, MOST_JOURNALS, MOST_LINKS, MOST_RELATED } from "../src/graph-nodes.ts";
import type { JournalShare } from "../src/mentions.ts";

const share = (journal: number, mentions: number): JournalShare => ({
  journal,
  mentions,
  articles: mentions,
  trials: 0,
  undated: 0,
  fresh: 0,
  first: null,
  last: null,
});
const none: Facts = { d: [], t: [], j: [], f: [] };
const relation = (drug: number) => ({ drug, shared: 9, lift: 1 });
const linksTo = (...journals: number[]) => journals.map((journal) => ({ journal, articles: 1 }));
const ofKind = <Kind extends GraphNode["kind"]>(nodes: readonly GraphNode[], kind: Kind) =>
  nodes.filter((node): node is Extract<GraphNode, { kind: Kind }> => node.kind === kind);

test("a heavy drug shows its first journals, and the rest as one", () => {
  const shares = Array.from({ length: 30 }, (_, journal) => share(journal, 30 - journal));
  const related = Array.from({ length: 40 }, (_, drug) => ({
    relation: relation(drug),
    links: linksTo(29, 5, 4, 3, 2),
  }));
  const { nodes, edges, height } = layOut({ facts: none, publications: null, shares, related });
  assert.equal(ofKind(nodes, "journal").length, MOST_JOURNALS);
  const [others] = ofKind(nodes, "others");
  assert.deepEqual([others!.journals, others!.mentions], [18, (18 * 19) / 2]);
  assert.equal(ofKind(nodes, "related").length, MOST_RELATED);
  const drawn = edges.filter(({ to }) => to.kind === "related");
  assert.equal(drawn.length, MOST_RELATED * MOST_LINKS);
  // Its strongest link is to a journal that is not drawn.
  assert.deepEqual(
    new Set(drawn.map(({ from }) => from.kind === "journal" && from.share.journal)),
    new Set([5, 4, 3]),
  );
  assert.deepEqual([edges[0]!.weight, edges[1]!.weight], [1, 29 / 30]);
  assert.ok(nodes.every(({ y }) => y > 0 && y < height));
});

test("journals and related drugs stand near what leads to them", () => {
  const facts: Facts = { d: [4, 3, 2, 1], t: [0, 0, 0, 0], j: [7, 7, 3, -1], f: [0, 0, 0, 0] };
  const publications = facts.j.map((_, row) => ({
    row,
    text: { id: `${row}`, title: "", spans: [], linked: [] },
  }));
  const related = [
    { relation: relation(1), links: linksTo(3) },
    { relation: relation(2), links: linksTo(7) },
    { relation: relation(3), links: linksTo(8) },
  ];
  const shares = [share(3, 1), share(7, 2)];
  const { nodes, edges } = layOut({ facts, publications, shares, related });
  assert.deepEqual(
    ofKind(nodes, "journal").map((node) => node.share.journal),
    [7, 3],
  );
  assert.deepEqual(
    ofKind(nodes, "related").map((node) => node.relation.drug),
    [2, 1],
  );
  assert.equal(edges.filter(({ from }) => from.kind === "publication").length, 3);
  assert.equal(ofKind(nodes, "others").length, 0);
});
