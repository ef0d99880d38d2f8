// A small page to test with: three journals, three drugs, two types of publications.
import { complete, type Facts, type Index, type JournalDrugs } from "../src/data.ts";
import { type DateCode, PRECISIONS, type Precision } from "../src/dates.ts";

export function code(day: string, precision: Precision = "day"): DateCode {
  return (Date.parse(day) / 86_400_000) * 4 + PRECISIONS.indexOf(precision);
}

export const ARTICLE = 0;
export const TRIAL = 1;
export const [ACTA, LANCE, PAPER] = [0, 1, 2] as const;
export const [ASPIRIN, BETAZOL, CAFFEINE] = [0, 1, 2] as const;

export const index: Index = complete({
  v: 1,
  types: [
    {
      type: "pubmed",
      source: "pubmed",
      publications: "PubMed articles",
      trial: false,
      can_be_retracted: true,
      links: { site: "PubMed", form: "^[0-9]{1,8}$", address: "https://example.org/p/{id}/" },
    },
    {
      type: "clinical_trial",
      source: "clinical_trials",
      publications: "clinical trials",
      trial: true,
      can_be_retracted: false,
      links: null,
    },
  ],
  total: 0,
  facts: 20_000,
  texts: 1_000,
  drugs: {
    id: ["a", "b", "c"],
    name: ["aspirin", "betazol", "caffeine"],
    by: [[], []],
    journals: [3, 1, 2],
    articles_in: [2, 1, 2],
    first: [],
    last: [],
    retracted: [],
    ambiguous: [],
    fresh: [],
  },
  mentioned: 3,
  unmentioned: 0,
  journals: {
    id: ["j-acta", "j-lance", "j-paper"],
    name: ["Acta Imaginaria", "Lance of Letters", "Paper Weekly"],
    by: [[], []],
    drugs: [],
    first: [],
    last: [],
    retracted: [],
    fresh: [],
    block: [0, 0, 0],
    has_articles: [1, 1, 0],
  },
  classes: { code: [], level: [], name: [], drugs: [], mentions: [], journals: [] },
  quality: { sources: [], files: 0, unread: [], unread_files: 0 },
  news: null,
  where: null,
  folder: "",
});

/** Mentions of aspirin, newest first. */
export const facts: Facts = {
  d: [
    code("2022-08-08"),
    code("2021-06-06"),
    code("2003-07-01", "month"),
    code("2003-02-01"),
    null,
  ],
  t: [ARTICLE, TRIAL, ARTICLE, ARTICLE, ARTICLE],
  j: [ACTA, ACTA, LANCE, ACTA, -1],
  f: [8, 0, 1, 0, 0],
};

/** What the journals with articles on aspirin write about. Betazol is only in a trial of Lance. */
export const pairs: JournalDrugs[] = [
  {
    journal: ACTA,
    drug: [ASPIRIN, BETAZOL, CAFFEINE],
    by: [
      [2, 1, 4],
      [1, 0, 0],
    ],
    first: [],
  },
  {
    journal: LANCE,
    drug: [ASPIRIN, BETAZOL, CAFFEINE],
    by: [
      [1, 0, 1],
      [0, 2, 0],
    ],
    first: [],
  },
];
