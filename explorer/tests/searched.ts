// An index with names, for tests of what is found by them.
import { complete, type Index, type Names } from "../src/data.ts";

const DRUGS = ["acetylsalicylic acid", "digoxin", "interféron bêta-1a", "paracetamol"];
const MENTIONS = [7, 5, 1, 9];
const JOURNALS = ["Acid Letters", "Journal of emergency nursing", "The Journal of Aspirin"];

const zeros = (length: number) => Array.from({ length }, () => 0);
const nulls = (length: number) => Array.from({ length }, () => null);

export const index: Index = complete({
  v: 1,
  types: [],
  total: 22,
  facts: 20_000,
  texts: 1_000,
  drugs: {
    id: ["d1", "d2", "d3", "d4"],
    name: DRUGS,
    by: [MENTIONS],
    journals: zeros(4),
    articles_in: zeros(4),
    first: nulls(4),
    last: nulls(4),
    retracted: zeros(4),
    ambiguous: zeros(4),
    fresh: zeros(4),
  },
  mentioned: 4,
  unmentioned: 1,
  journals: {
    id: ["j1", "j2", "j3"],
    name: JOURNALS,
    by: [[3, 2, 1]],
    drugs: zeros(3),
    first: nulls(3),
    last: nulls(3),
    retracted: zeros(3),
    fresh: zeros(3),
    block: zeros(3),
    has_articles: zeros(3),
  },
  classes: {
    code: ["N", "N02", "N02B", "N02BA", "N02BA01"],
    level: [1, 2, 3, 4, 5],
    name: ["Nervous system", "Analgesics", null, null, null],
    drugs: zeros(5),
    mentions: [16, 16, 16, 7, 7],
    journals: zeros(5),
  },
  quality: { sources: [], files: 0, unread: [], unread_files: 0 },
  news: null,
  where: null,
  folder: "",
});

export const names: Names = {
  names: [["aspirin", "Aspirine", "ASA"], [], ["IFN-β-1a"], ["acetaminophen"]],
  codes: [["B01AC06", "N02BA01"], ["C01AA05"], [], ["N02BE01"]],
  xrefs: [[], [], [], []],
  other: {
    id: ["d5"],
    name: ["quinine"],
    names: [["chinin"]],
    codes: [["P01BC01"]],
    xrefs: [[]],
  },
};
