// What the nodes of the neighbourhood are called, and where they lead.
import type { Facts } from "./data.ts";
import { showDate, showMonth, showShare } from "./dates.ts";
import { typeLabel } from "./drug-words.ts";
import { rowId } from "./evidence-row.tsx";
import type { GraphNode } from "./graph-nodes.ts";
import { publicationLink } from "./links.ts";
import type { UsedPage } from "./page.ts";
import type { DrugWords } from "./words-drug.ts";

export interface Described {
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

export interface Told {
  page: UsedPage;
  words: DrugWords;
  drug: number;
  facts: Facts;
  total: number;
}

export function describe(node: GraphNode, { page, words, drug, facts, total }: Told): Described {
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
      const href = to({ journal: index.journals.id[journal]! });
      return { label, note: share(mentions), name, href };
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
