// Finds drugs, classes and journals by any of their names and codes. Every name is folded once; each
// search then looks at all of them, which takes a few milliseconds for 60,000.
import { type Index, type Names, drugCount, drugNames, drugCodes } from "./data.ts";
import { distance } from "./distance.ts";
import { fold } from "./fold.ts";

export type Kind = "drug" | "class" | "journal";

export interface Entry {
  kind: Kind;
  /** Number of the drug, class or journal. */
  at: number;
  label: string;
  key: string;
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
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;
/** How well a name fits: less is better. */
const RANK = { exact: 0, start: 1, wordStart: 2, inside: 3, everyWord: 4 };
/** Letters that may differ, and the shortest text of which this makes sense. */
const MOST_DIFFERENT = 2;
const SHORTEST_MISSPELLED = 4;

/** All that can be searched. Without `names`: by first names only. */
export function searchEntries(index: Index, names: Names | null): Entry[] {
  const entries: Entry[] = [];
  const add = (kind: Kind, at: number, label: string) =>
    entries.push({ kind, at, label, key: fold(label) });
  const drugs = names ? drugCount(index) : index.mentioned;
  for (let drug = 0; drug < drugs; drug++) {
    for (const name of drugNames(index, names, drug)) add("drug", drug, name);
    if (names) for (const code of drugCodes(index, names, drug)) add("drug", drug, code);
  }
  for (const [at, code] of index.classes.code.entries()) {
    add("class", at, code);
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

/** The hits for a text, best first: by rank, kind, number of mentions, name. */
export function search(index: Index, entries: Entry[], typed: string, most = 12): Found {
  const text = fold(typed);
  if (text === "") return { hits: [], total: 0, close: false };
  const words = text.split(" ");
  const best = new Map<string, { entry: Entry; rank: number }>();
  const offer = (entry: Entry, entryRank: number) => {
    const thing = `${entry.kind} ${entry.at}`;
    const before = best.get(thing);
    if (!before || before.rank > entryRank) best.set(thing, { entry, rank: entryRank });
  };
  for (const entry of entries) {
    const entryRank = rank(entry.key, text, words);
    if (entryRank !== null) offer(entry, entryRank);
  }
  const close = best.size === 0 && text.length >= SHORTEST_MISSPELLED;
  if (close) {
    for (const entry of entries) {
      const different = distance(text, entry.key, MOST_DIFFERENT);
      if (different <= MOST_DIFFERENT) offer(entry, different);
    }
  }
  const weight = ({ kind, at }: Entry) =>
    (kind === "drug"
      ? index.mentions[at]
      : kind === "class"
        ? index.classes.mentions[at]
        : index.journalMentions[at]) ?? 0;
  const sorted = [...best.values()].sort(
    (a, b) =>
      a.rank - b.rank ||
      KINDS.indexOf(a.entry.kind) - KINDS.indexOf(b.entry.kind) ||
      weight(b.entry) - weight(a.entry) ||
      (a.entry.key < b.entry.key ? -1 : 1),
  );
  const hits = sorted.slice(0, most).map(({ entry: { kind, at, label } }) => ({ kind, at, label }));
  return { hits, total: sorted.length, close };
}
