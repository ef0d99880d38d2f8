// Finds drugs, classes and journals by any of their names and codes. Every name is folded once; each
// search then looks at all of them, which takes a few milliseconds for 60,000.
import { type Index, type Names, drugCount, drugNames, drugCodes } from "./data.ts";
import { differByMore, distance, lettersOf } from "./distance.ts";
import { fold, foldJournal, foldName } from "./fold.ts";

export type Kind = "drug" | "class" | "journal";

export interface Entry {
  kind: Kind;
  /** Number of the drug, class or journal. */
  at: number;
  label: string;
  /** A code comes after names that fit as well. */
  isCode: boolean;
  /** The label folded, and which letters are in it. */
  key: string;
  letters: number;
}

export interface Hit {
  kind: Kind;
  at: number;
  /** The name or code that was found. */
  label: string;
}

export interface Found {
  hits: Hit[];
  /** Number of hits, with those that were left out. */
  total: number;
  /** Whether nothing has this name, so that the hits are spelled alike. */
  close: boolean;
}

const KINDS: Kind[] = ["drug", "class", "journal"];
/** How names of a kind are compared. */
export const FOLDS: Record<Kind, (text: string) => string> = {
  drug: foldName,
  class: fold,
  journal: foldJournal,
};
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;
/** How well a name fits: less is better. */
const RANK = { exact: 0, start: 1, wordStart: 2, inside: 3, everyWord: 4 };
/** Letters that may differ, and the shortest text of which this makes sense. */
const MOST_DIFFERENT = 2;
const SHORTEST_MISSPELLED = 4;

/** All that can be searched, thing by thing. Without `names`: by first names only. */
export function searchEntries(index: Index, names: Names | null): Entry[] {
  const entries: Entry[] = [];
  const add = (kind: Kind, at: number, label: string, isCode = false) => {
    const key = FOLDS[kind](label);
    entries.push({ kind, at, label, isCode, key, letters: lettersOf(key) });
  };
  const drugs = names ? drugCount(index) : index.mentioned;
  for (let drug = 0; drug < drugs; drug++) {
    for (const name of drugNames(index, names, drug)) add("drug", drug, name);
    if (names) for (const code of drugCodes(index, names, drug)) add("drug", drug, code, true);
  }
  for (const [at, code] of index.classes.code.entries()) {
    add("class", at, code, true);
    const name = index.classes.name[at];
    if (name) add("class", at, name);
  }
  for (const [at, name] of index.journals.name.entries()) add("journal", at, name);
  return entries;
}

/** Rank of a name for a folded text, or null if it does not fit. */
function rank(key: string, text: string, words: string[]): number | null {
  const at = key.indexOf(text);
  if (at === 0) return key.length === text.length ? RANK.exact : RANK.start;
  if (at > 0) {
    // A later place may be the start of a word though the first one is not.
    for (let place = at; place > 0; place = key.indexOf(text, place + 1)) {
      if (!LETTER_OR_DIGIT.test(key[place - 1]!)) return RANK.wordStart;
    }
    return RANK.inside;
  }
  return words.length > 1 && words.every((word) => key.includes(word)) ? RANK.everyWord : null;
}

interface Ranked {
  entry: Entry;
  rank: number;
}

/** What is looked for among the names of a kind. */
function wantedOf(kind: Kind, typed: string) {
  const text = FOLDS[kind](typed);
  return { text, words: text.split(" "), letters: lettersOf(text) };
}

/** The hits for a text, best first: by rank, names before codes, kind, mentions. */
export function search(index: Index, entries: Entry[], typed: string, most = 12): Found {
  if (fold(typed) === "") return { hits: [], total: 0, close: false };
  const wanted = {
    drug: wantedOf("drug", typed),
    class: wantedOf("class", typed),
    journal: wantedOf("journal", typed),
  };
  const isBefore = orderOf(index);
  const fits = ({ kind, key }: Entry) => rank(key, wanted[kind].text, wanted[kind].words);
  const named = best(entries, fits, isBefore, most);
  if (named.total > 0 || wanted.class.text.length < SHORTEST_MISSPELLED) {
    return { ...named, close: false };
  }
  const different = ({ kind, key, letters }: Entry) => {
    if (differByMore(wanted[kind].letters, letters, MOST_DIFFERENT)) return null;
    const steps = distance(wanted[kind].text, key, MOST_DIFFERENT);
    return steps <= MOST_DIFFERENT ? steps : null;
  };
  return { ...best(entries, different, isBefore, most), close: true };
}

/**
 * The best of what is ranked: only these are sorted, since one letter is in nearly all names.
 * The entries of one thing follow each other, and the best of them stands for it.
 */
function best(
  entries: Entry[],
  rankOf: (entry: Entry) => number | null,
  isBefore: (one: Ranked, other: Ranked) => boolean,
  most: number,
): Omit<Found, "close"> {
  const top: Ranked[] = [];
  let total = 0;
  let thing: Ranked | null = null;
  const keep = (ranked: Ranked) => {
    total++;
    let place = top.length;
    while (place > 0 && isBefore(ranked, top[place - 1]!)) place--;
    if (place === most) return;
    top.splice(place, 0, ranked);
    top.length = Math.min(top.length, most);
  };
  for (const entry of entries) {
    const entryRank = rankOf(entry);
    if (entryRank === null) continue;
    if (thing && thing.entry.at === entry.at && thing.entry.kind === entry.kind) {
      if (entryRank < thing.rank) thing = { entry, rank: entryRank };
      continue;
    }
    if (thing) keep(thing);
    thing = { entry, rank: entryRank };
  }
  if (thing) keep(thing);
  const hits = top.map(({ entry: { kind, at, label } }) => ({ kind, at, label }));
  return { hits, total };
}

function orderOf(index: Index): (one: Ranked, other: Ranked) => boolean {
  const mentions = {
    drug: index.mentions,
    class: index.classes.mentions,
    journal: index.journalMentions,
  };
  const weight = ({ kind, at }: Entry) => mentions[kind][at] ?? 0;
  return (one, other) => {
    const order =
      one.rank - other.rank ||
      Number(one.entry.isCode) - Number(other.entry.isCode) ||
      KINDS.indexOf(one.entry.kind) - KINDS.indexOf(other.entry.kind) ||
      weight(other.entry) - weight(one.entry);
    return order !== 0 ? order < 0 : one.entry.key < other.entry.key;
  };
}
