// The blocks of the page, as drug_assets/explorer/pack.py writes them: columns, not rows.
import type { DateCode } from "./dates.ts";

/** How the ids of a type become links; null if they do not. */
export interface Links {
  site: string;
  /** Regular expression of the ids that the site knows. */
  form: string;
  /** Address with `{id}` in it. */
  address: string;
}

/** A type of publication. Their number and order are those of the registry of sources. */
export interface PublicationType {
  type: string;
  source: string;
  /** What the publications are called: "PubMed articles". */
  publications: string;
  trial: boolean;
  can_be_retracted: boolean;
  links: Links | null;
}

/** The drugs that are mentioned, by name. */
export interface DrugColumns {
  id: string[];
  name: string[];
  /** by[type][drug]: mentions. */
  by: number[][];
  journals: number[];
  /** Journals that mention it in a publication that is no trial. */
  articles_in: number[];
  first: (DateCode | null)[];
  last: (DateCode | null)[];
  retracted: number[];
  ambiguous: number[];
  /** Mentions that are new since the release before. */
  fresh: number[];
}

/** The journals that mention a drug. */
export interface JournalColumns {
  id: string[];
  name: string[];
  by: number[][];
  drugs: number[];
  first: (DateCode | null)[];
  last: (DateCode | null)[];
  retracted: number[];
  fresh: number[];
  /** The block of pairs that holds the journal's. */
  block: number[];
  has_articles: number[];
}

/** Classes of the ATC. */
export interface ClassColumns {
  code: string[];
  level: number[];
  name: (string | null)[];
  drugs: number[];
  mentions: number[];
  journals: number[];
}

export interface SourceQuality {
  source: string;
  read: number;
  kept: number;
  merged: number;
  rejected: number;
  /** Reason of the rejection -> rows. */
  reasons: Record<string, number>;
}

export interface Quality {
  sources: SourceQuality[];
  files: number;
  /** At most 20 of the files that could not be read. */
  unread: { file: string; problem: string }[];
  unread_files: number;
}

/** What is new since the release before. Names are some of the counted ones. */
export interface News {
  added: number;
  /** Of those added: of drugs that were not in the list before. */
  added_of_new_drugs: number;
  gone: number;
  changed: number;
  /** Mentions of drugs that are no longer in the list. */
  no_longer_searched: number;
  first_in_journal: number;
  drugs_added: string[];
  drugs_added_count: number;
  drugs_dropped: string[];
  drugs_dropped_count: number;
  /** Names of drugs that stay in the list. */
  names_added: string[];
  names_added_count: number;
  names_dropped: string[];
  names_dropped_count: number;
  /** Null: it is not known. */
  rules_changed: boolean | null;
  /** First mentions of a drug in a journal, newest first. */
  firsts: { drug: number; journal: number; date: DateCode | null; type: number; id: string }[];
}

export interface IndexBlock {
  v: number;
  types: PublicationType[];
  /** Number of mentions. */
  total: number;
  /** Rows of a block of facts, and of texts. */
  facts: number;
  texts: number;
  drugs: DrugColumns;
  mentioned: number;
  /** Drugs of the list that no title mentions: block `names` has them. */
  unmentioned: number;
  journals: JournalColumns;
  classes: ClassColumns;
  quality: Quality;
  /** Null: there is nothing to compare with. */
  news: News | null;
  /** Block -> number of the file that holds it; null if the page itself holds all. */
  where: Record<string, number> | null;
  folder: string;
}

export interface Names {
  /** Other names of each mentioned drug, and its codes. */
  names: string[][];
  codes: string[][];
  xrefs: string[][];
  other: {
    id: string[];
    name: string[];
    names: string[][];
    codes: string[][];
    xrefs: string[][];
  };
}

/** Mentions by drug, newest first, those without a date last. */
export interface Facts {
  d: (DateCode | null)[];
  /** Type of the publication. */
  t: number[];
  /** Journal; -1 for none. */
  j: number[];
  /** Sum of `FLAGS`. */
  f: number[];
}

export const FLAGS = {
  retracted: 1,
  /** Nothing says whether it was retracted, though publications of this type can be. */
  retractionUnknown: 2,
  ambiguous: 4,
  fresh: 8,
  /** First mention of the drug in this journal since the release before. */
  firstInJournal: 16,
} as const;

/** Start, end and, if it is not by a name, by what: in characters, not UTF-16 units. */
export type Span = [number, number] | [number, number, string];

/** A publication of a trial, or a trial of a publication: type, id, kind, date, journal. */
export type Linked = [number, string, string, DateCode | null, string | null];

export interface Texts {
  i: string[];
  t: string[];
  s: Span[][];
  k: (Linked[] | null)[];
}

/** Of a journal: steps from drug to drug, mentions by type, first dates. */
export type Pairs = [number[], number[][], (DateCode | null)[]];
