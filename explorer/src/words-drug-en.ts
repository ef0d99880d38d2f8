// The English of the drug page.
import type { DateCode } from "./dates.ts";
import { showMonth, showNumber } from "./dates.ts";

/** What the first line of the page says. */
export interface SinceWhen {
  journals: number;
  articles: number;
  trials: number;
  first: DateCode | null;
  last: DateCode | null;
}

const number = (count: number) => showNumber(count, "en");
const counted = (count: number, one: string, several = `${one}s`) =>
  `${number(count)} ${count === 1 ? one : several}`;
const articles = (count: number) => counted(count, "article");
const trials = (count: number) => counted(count, "trial");
const journals = (count: number) => counted(count, "journal");
const mentions = (count: number) => counted(count, "mention");

export const en = {
  articles,
  trials,
  journals,
  mentions,
  article: "Article",
  trial: "Trial",
  articlesHead: "Articles",
  trialsHead: "Trials",
  newTab: "(opens a new tab)",
  less: "Show fewer",

  alsoFoundAs: "Also found as",
  allNames: (count: number) => `Show all ${number(count)} names`,
  atc: (code: string) => `ATC ${code}`,
  alsoNameOf: (name: string) => `“${name}” is also a name of`,
  alsoCodeOf: (code: string) => `“${code}” is also a code of`,
  furtherNames: (count: number) =>
    `${number(count)} more of its names ${count === 1 ? "is one" : "are names"} of other drugs.`,
  neverMentioned: "No title mentions this drug.",
  whoMentions: (count: number) =>
    count === 0
      ? "No journal is given for its mentions"
      : `${journals(count)} ${count === 1 ? "mentions" : "mention"} it`,
  sinceWhen: (said: SinceWhen) => {
    const since = said.first === null ? "" : ` since ${showMonth(said.first, "en")}`;
    const latest =
      said.last === null ? "None of them has a date." : `Latest: ${showMonth(said.last, "en")}.`;
    return `${since}: ${articles(said.articles)}, ${trials(said.trials)}. ${latest}`;
  },
  retractedOf: (count: number) =>
    `${number(count)} ${count === 1 ? "is in a retracted publication" : "are in retracted publications"}.`,
  freshOf: (count: number) => `${number(count)} new since the release before.`,
  unreadable: (what: string) => `Could not read ${what}: keep the folder beside this page.`,

  lanes: {
    heading: "Which journals, since when",
    order: "Order of journals",
    byMentions: "Most mentions",
    byFirst: "First to mention",
    vague: "Day not known",
    fresh: "New",
    retracted: "Retracted",
    cells: (most: number) => `A year: 1 to ${mentions(most)}`,
    years: "Years",
    yearsHow: "Choose years: arrow keys, Enter; Shift for several; Escape for all.",
    year: (year: number, ofArticles: number, ofTrials: number) =>
      `${year}: ${articles(ofArticles)}, ${trials(ofTrials)}`,
    mostAYear: (most: number) => `${number(most)} a year at most`,
    since: (date: string) => `since ${date}`,
    noDate: "no date",
    lane: (count: number, latest: string | null) =>
      latest === null ? mentions(count) : `${mentions(count)}, latest ${latest}`,
    how: "Choose a journal or a year to filter the evidence below.",
    noDates: "None of these mentions has a date.",
    undated: (count: number, all: number) =>
      `${number(count)} of ${mentions(all)} ${count === 1 ? "has" : "have"} no date` +
      " and no mark here.",
    withoutJournal: (count: number) =>
      count === 1
        ? "1 mention is in a publication without a journal."
        : `${number(count)} mentions are in publications without a journal.`,
    more: (count: number) => `Show ${number(count)} more journals`,
  },

  evidence: {
    heading: "Evidence",
    shown: (count: number, all: number) =>
      count === all ? `${mentions(all)}, newest first` : `${number(count)} of ${mentions(all)}`,
    type: "Type",
    all: "All",
    fresh: "New",
    retractedOnes: "Retracted",
    from: "From year",
    to: "To year",
    any: "any",
    remove: (filter: string) => `Remove filter ${filter}`,
    removeAll: "Remove all filters",
    more: (count: number) => `Show ${number(count)} more`,
    nothing: "No mention passes these filters.",
    withoutDates: (count: number) =>
      `${mentions(count)} without a date ${count === 1 ? "is" : "are"} in no year.`,
    mayLieOutside: (count: number) =>
      `${mentions(count)} may lie outside: a winter is in two years.`,
    noDate: "no date",
    noJournal: "no journal",
    retracted: "Retracted",
    retractedWhy: "The publication was retracted.",
    ambiguous: "Ambiguous",
    ambiguousWhy: "Every name that was found is also a name of another drug.",
    isFresh: "New",
    freshWhy: "Not in the release before.",
    first: "First in this journal",
    by: {
      abbreviation: "found as the abbreviation of a name",
      in_brackets: "found in brackets behind a name",
      before_brackets: "found before a name in brackets",
      ion: "found by the formula of an ion",
    } as Record<string, string>,
    publicationsOf: "Publications of this trial",
    trialsOf: "Trials of this publication",
    kinds: {
      result: "results",
      derived: "found by the registry",
      background: "background",
      named: "names the trial",
    } as Record<string, string>,
    allLinked: (count: number) => `Show all ${number(count)}`,
  },

  save: {
    saving: "Saving…",
    saved: (file: string) => `Saved as ${file}.`,
    cut: (count: number) =>
      `${counted(count, "text")} longer than the 32,767 characters of a cell ` +
      `${count === 1 ? "was" : "were"} cut.`,
    failed: "Could not save.",
    mentions: "Mentions",
    related: "Related drugs",
    head: {
      drug: "Drug",
      type: "Type",
      id: "Id",
      title: "Title",
      found: "Words found",
      journal: "Journal",
      date: "Date",
      precision: "Date precision",
      retracted: "Retracted",
      ambiguous: "Ambiguous",
      fresh: "New",
      address: "Address",
      journals: "Linking journals",
      lift: "Times chance",
      names: "Journals",
    },
    yes: "yes",
    no: "no",
    unknown: "not known",
    precisions: { day: "day", month: "month", season: "season", year: "year" },
  },

  graph: {
    heading: "The graph around it",
    few:
      "From left to right: the drug, its publications, their journals with the date, and other " +
      "drugs of these journals.",
    many:
      "From left to right: the drug; the journals with the most mentions, with their share and " +
      "since when; other drugs of these journals, each linked with the three that write about it " +
      "most, in proportion. Filter to 16 mentions or fewer to see publications.",
    name: "Drug, publications, journals and related drugs",
    drug: "Drug",
    publications: "Publications",
    journals: "Journals",
    related: "Related drugs",
    journal: (name: string, count: number, share: string, since: string | null) =>
      `${name}: ${mentions(count)}, ${share}${since === null ? "" : `, since ${since}`}`,
    otherJournals: (count: number, share: string) => `${number(count)} more journals: ${share}`,
    relatedDrug: (name: string, shared: number) => `${name}: ${journals(shared)} in common`,
    publication: (type: string, id: string, date: string, title: string) =>
      `${type} ${id}, ${date}: ${title}`,
  },

  related: {
    heading: "Related drugs",
    why: "Drugs that articles of the same journals mention, trials left out.",
    withoutTrials: "leave out journals that mention it in a trial",
    order: "Order of related drugs",
    byJournals: "Most journals",
    byName: "Name",
    byLift: "More than by chance",
    shared: (count: number, of: number) => `${number(count)} of ${journals(of)}`,
    lift: (times: string) => `${times} × chance`,
    liftWhy:
      "Times chance: journals that mention both × all journals with articles ÷ (journals that " +
      "mention the one × journals that mention the other).",
    none: "No other drug is mentioned by articles of these journals.",
    reading: "Counting…",
    more: (count: number) => `Show ${number(count)} more`,
    furtherJournals: (count: number) => `and ${number(count)} more`,
  },
};

export type DrugWords = typeof en;
