// What the page knows: the index at once, facts, texts, pairs and names when they are asked for.
// Nothing here draws. Drugs and journals are numbers: their place in the index.
import type { Facts, IndexBlock, Linked, Names, Pairs, Span, Texts } from "./blocks.ts";
import { readBlock, readFirst } from "./containers.ts";
import type { DateCode } from "./dates.ts";

export type * from "./blocks.ts";
export { FLAGS } from "./blocks.ts";
export { UnreadableBlock } from "./containers.ts";
export { drugCodes, drugCount, drugId, drugNames } from "./drugs.ts";

export interface Index extends IndexBlock {
  /** Mentions of each drug, and the row of its first one. */
  mentions: number[];
  start: number[];
  /** Mentions of each journal. */
  journalMentions: number[];
  /** Drug or journal of an id. */
  drugOfId: Map<string, number>;
  journalOfId: Map<string, number>;
  classOfCode: Map<string, number>;
}

/** A title with what was found in it. */
export interface Text {
  id: string;
  title: string;
  spans: Span[];
  /** The publications of a trial, or the trials of a publication. */
  linked: Linked[];
}

/** The drugs that a journal mentions. */
export interface JournalDrugs {
  journal: number;
  drug: number[];
  /** by[type][row]: mentions. */
  by: number[][];
  first: (DateCode | null)[];
}

function sums(columns: number[][], length: number): number[] {
  return Array.from({ length }, (_, at) => columns.reduce((sum, column) => sum + column[at]!, 0));
}

function places(keys: string[]): Map<string, number> {
  return new Map(keys.map((key, at) => [key, at]));
}

/** Adds to the block what follows from it. */
export function complete(block: IndexBlock): Index {
  const mentions = sums(block.drugs.by, block.drugs.id.length);
  const start: number[] = [];
  let row = 0;
  for (const count of mentions) {
    start.push(row);
    row += count;
  }
  return {
    ...block,
    mentions,
    start,
    journalMentions: sums(block.journals.by, block.journals.id.length),
    drugOfId: places(block.drugs.id),
    journalOfId: places(block.journals.id),
    classOfCode: places(block.classes.code),
  };
}

export async function readIndex(): Promise<Index> {
  return complete(await readFirst<IndexBlock>());
}

/** Other names and codes of all drugs. */
export function namesOf(index: Index): Promise<Names> {
  return readBlock<Names>(index, "names");
}

/** Joins the parts of a column that lie in several blocks. */
function joined<Value>(parts: Value[][]): Value[] {
  return parts.length === 1 ? parts[0]! : ([] as Value[]).concat(...parts);
}

/** All mentions of a drug, newest first. */
export async function factsOf(index: Index, drug: number): Promise<Facts> {
  const from = index.start[drug] ?? 0;
  const to = from + (index.mentions[drug] ?? 0);
  const blocks: Promise<Facts>[] = [];
  for (let block = Math.floor(from / index.facts); block * index.facts < to; block++) {
    const firstRow = block * index.facts;
    const mine = ({ d, t, j, f }: Facts): Facts => {
      const cut = <Value>(column: Value[]) =>
        column.slice(Math.max(0, from - firstRow), to - firstRow);
      return { d: cut(d), t: cut(t), j: cut(j), f: cut(f) };
    };
    blocks.push(readBlock<Facts>(index, `f${block}`).then(mine));
  }
  const parts = await Promise.all(blocks);
  return {
    d: joined(parts.map((part) => part.d)),
    t: joined(parts.map((part) => part.t)),
    j: joined(parts.map((part) => part.j)),
    f: joined(parts.map((part) => part.f)),
  };
}

/** Titles of these rows of a drug's mentions, in the order of `rows`. */
export async function textsOf(
  index: Index,
  drug: number,
  rows: readonly number[],
): Promise<Text[]> {
  const from = index.start[drug] ?? 0;
  const numbers = [...new Set(rows.map((row) => Math.floor((from + row) / index.texts)))];
  const blocks = new Map(
    await Promise.all(
      numbers.map(async (block) => [block, await readBlock<Texts>(index, `x${block}`)] as const),
    ),
  );
  return rows.map((row) => {
    const block = blocks.get(Math.floor((from + row) / index.texts))!;
    const at = (from + row) % index.texts;
    return {
      id: block.i[at]!,
      title: block.t[at]!,
      spans: block.s[at]!,
      linked: block.k[at] ?? [],
    };
  });
}

/** First journal of each block of pairs. */
const firstJournals = new WeakMap<Index, Map<number, number>>();

function firstJournalOf(index: Index, block: number): number {
  let firsts = firstJournals.get(index);
  if (!firsts) {
    firsts = new Map();
    for (const [journal, of] of index.journals.block.entries()) {
      if (!firsts.has(of)) firsts.set(of, journal);
    }
    firstJournals.set(index, firsts);
  }
  return firsts.get(block)!;
}

/** The drugs of these journals, in the order of `journals`. */
export async function pairsOf(index: Index, journals: readonly number[]): Promise<JournalDrugs[]> {
  const numbers = [...new Set(journals.map((journal) => index.journals.block[journal]!))];
  const blocks = new Map(
    await Promise.all(
      numbers.map(async (block) => [block, await readBlock<Pairs[]>(index, `p${block}`)] as const),
    ),
  );
  return journals.map((journal) => {
    const block = index.journals.block[journal]!;
    const [steps, by, first] = blocks.get(block)![journal - firstJournalOf(index, block)]!;
    let drug = 0;
    return { journal, drug: steps.map((step) => (drug += step)), by, first };
  });
}
