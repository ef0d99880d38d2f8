// Which drugs are related to a drug: those that the same journals mention, in publications that are
// no trials. `drug-assets related-drugs` ranks them by the same rules.
import { type Index, type JournalDrugs, pairsOf } from "./data.ts";
import { isTrial, type JournalShare } from "./mentions.ts";

export interface Relation {
  drug: number;
  /** Journals that mention both. */
  shared: number;
  /** How often journals mention both, against how often they would by chance. */
  lift: number;
}

export interface Relations {
  /** The journals that count, each with its drugs. */
  pairs: JournalDrugs[];
  related: Relation[];
}

export type Order = "journals" | "name" | "lift";

/** The journals of a drug that can link it with others. */
interface Linking {
  counted: JournalShare[];
  /** Of those that the reading leaves out, the ones with articles, on whatever drug. */
  leftOut: JournalShare[];
}

/** `withoutTrialJournals`: journals that mention the drug in a trial do not count. */
export function linking(
  index: Index,
  shares: readonly JournalShare[],
  withoutTrialJournals: boolean,
): Linking {
  const isLeftOut = ({ trials }: JournalShare) => withoutTrialJournals && trials > 0;
  const withArticles = ({ journal }: JournalShare) => index.journals.has_articles[journal] === 1;
  return {
    counted: shares.filter((share) => share.articles > 0 && !isLeftOut(share)),
    leftOut: shares.filter((share) => isLeftOut(share) && withArticles(share)),
  };
}

/** The drugs related to a drug, in no particular order; reads the drugs of its journals. */
export async function relate(
  index: Index,
  drug: number,
  shares: readonly JournalShare[],
  withoutTrialJournals: boolean,
): Promise<Relations> {
  const { counted, leftOut } = linking(index, shares, withoutTrialJournals);
  const read = (of: JournalShare[]) =>
    pairsOf(
      index,
      of.map(({ journal }) => journal),
    );
  const [pairs, pairsLeftOut] = await Promise.all([read(counted), read(leftOut)]);
  return { pairs, related: countShared(index, drug, pairs, pairsLeftOut) };
}

/** `pairs`: the journals that count, each with its drugs; `leftOut`: those that do not, of all. */
export function countShared(
  index: Index,
  drug: number,
  pairs: readonly JournalDrugs[],
  leftOut: readonly JournalDrugs[],
): Relation[] {
  const shared = new Uint32Array(index.mentioned);
  forEachArticles(index, pairs, (other) => shared[other]!++);
  shared[drug] = 0;
  // Chance is that of the reading: journals that are left out count neither here nor for any drug.
  const all = index.journals.has_articles.reduce((sum, has) => sum + has, 0) - leftOut.length;
  const mentioning = Uint32Array.from(index.drugs.articles_in);
  forEachArticles(index, leftOut, (other) => mentioning[other]!--);
  const related: Relation[] = [];
  for (let other = 0; other < shared.length; other++) {
    const journals = shared[other]!;
    if (journals === 0) continue;
    const lift = liftOf(journals, all, pairs.length, mentioning[other]!);
    related.push({ drug: other, shared: journals, lift });
  }
  return related;
}

/**
 * How much more often than by chance `shared` of `all` journals mention two drugs, of which `one`
 * mention the one and `other` the other: 1 is what chance gives.
 */
export function liftOf(shared: number, all: number, one: number, other: number): number {
  return (shared * all) / (one * other);
}

/** In the order that was asked for; ties by name, which is the order of the index. */
export function ranked(related: readonly Relation[], order: Order): Relation[] {
  const rank: Record<Order, (relation: Relation) => number> = {
    journals: ({ shared }) => -shared,
    name: () => 0,
    lift: ({ lift }) => -lift,
  };
  const by = rank[order];
  return [...related].sort((one, other) => by(one) - by(other) || one.drug - other.drug);
}

export interface Link {
  journal: number;
  /** Articles of the journal that mention the related drug. */
  articles: number;
}

/** The journals of `pairs` that link these drugs, those with the most articles first. */
export function linksOf(
  index: Index,
  pairs: readonly JournalDrugs[],
  drugs: Iterable<number>,
): Map<number, Link[]> {
  const links = new Map<number, Link[]>();
  for (const drug of drugs) links.set(drug, []);
  if (links.size === 0) return links;
  forEachArticles(index, pairs, (drug, journal, articles) => {
    links.get(drug)?.push({ journal, articles });
  });
  // Journals come with the most mentions of the page's own drug first: ties stay in this order.
  for (const ofDrug of links.values()) ofDrug.sort((one, other) => other.articles - one.articles);
  return links;
}

/** Visits each drug in articles of each journal; drugs only in its trials are left out. */
function forEachArticles(
  index: Index,
  pairs: readonly JournalDrugs[],
  visit: (drug: number, journal: number, articles: number) => void,
): void {
  const types = index.types.map((_, type) => type).filter((type) => !isTrial(index, type));
  for (const { journal, drug: drugs, by } of pairs) {
    // Hundreds of thousands of pairs: nothing is made for each of them.
    for (let at = 0; at < drugs.length; at++) {
      let articles = 0;
      for (const type of types) articles += by[type]![at]!;
      if (articles > 0) visit(drugs[at]!, journal, articles);
    }
  }
}
