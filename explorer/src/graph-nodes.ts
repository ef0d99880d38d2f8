// What the picture of a drug's neighbourhood is made of.
import type { Text } from "./data.ts";
import type { JournalShare } from "./mentions.ts";
import type { Link, Relation } from "./relating.ts";

/** So many mentions are drawn one by one. */
export const MOST_PUBLICATIONS = 16;
export const MOST_JOURNALS = 12;
export const MOST_RELATED = 14;
/** Links that are drawn of one related drug: more would be a bundle. */
export const MOST_LINKS = 3;

export interface Publication {
  row: number;
  text: Text;
}

export interface Linked {
  relation: Relation;
  /** The strongest first: those of journals that write about it most, in proportion. */
  links: readonly Link[];
}

interface Box {
  /** Left end, and middle of the height. */
  x: number;
  y: number;
  width: number;
}

export type PublicationNode = Box & { kind: "publication" } & Publication;
export type JournalNode = Box & { kind: "journal"; share: JournalShare };
export type RelatedNode = Box & { kind: "related" } & Linked;
export type DrugNode = Box & { kind: "drug" };
/** The journals that are not drawn one by one. */
export type OthersNode = Box & { kind: "others"; journals: number; mentions: number };
export type GraphNode = DrugNode | PublicationNode | JournalNode | RelatedNode | OthersNode;

export interface Edge {
  from: GraphNode;
  to: GraphNode;
  /** Width of the line, from 0 to 1. */
  weight: number;
}

export interface Layout {
  nodes: GraphNode[];
  edges: Edge[];
  width: number;
  height: number;
  /** Where each layer begins; null for one that is not drawn. */
  columns: Columns;
}

export interface Columns {
  drug: number;
  publications: number | null;
  journals: number;
  related: number;
}
