// What the page says in English.
import { showNumber } from "./dates.ts";
import { reasonsEn } from "./words-reasons.ts";

/** "1 drug", "2 drugs". */
const countEn = (number: number, one: string, many = `${one}s`) =>
  `${showNumber(number, "en")} ${number === 1 ? one : many}`;

export const en = {
  brand: "Drug mentions",
  title: "Which journals write about our drugs, and since when",
  skip: "Skip to content",
  search: "Search a drug, synonym, ATC code or journal",
  searchShort: "Drug, code or journal",
  results: "Results",
  close: "Nothing has exactly this name. Spelled alike:",
  nothing: (text: string) => `Nothing is named “${text}”.`,
  found: (number: number) => countEn(number, "result"),
  moreFound: (number: number) => `${showNumber(number, "en")} more: keep typing`,
  language: "Language and print",
  otherLanguage: "Français",
  print: "Print",
  foot: "All of this is in the page itself. It sends nothing, and asks nobody for anything.",
  reading: "Reading …",
  unreadable: (file: string) =>
    `${file} could not be read. The page needs the folder that lies beside it: copy both, and keep their names.`,

  kind: { drug: "Drug", class: "Class", journal: "Journal" },
  drug: "Drug",
  journal: "Journal",
  class: "Class",
  name: "Name",
  otherNames: "Other names",
  code: "Code",
  level: "Level",
  drugs: "Drugs",
  journals: "Journals",
  classes: "Classes",
  mentions: "Mentions",
  since: "Since",
  latest: "Latest",
  home: "Start",
  noDate: "no date",
  countDrugs: (number: number) => countEn(number, "drug"),
  countJournals: (number: number) => countEn(number, "journal"),
  countClasses: (number: number) => countEn(number, "class", "classes"),
  countMentions: (number: number) => countEn(number, "mention"),
  typeNames: {
    pubmed: ["article", "articles"],
    clinical_trial: ["trial", "trials"],
  } as Record<string, [string, string]>,
  count: countEn,
  colon: ": ",
  sinceWhen: (date: string) => `since ${date}`,
  latestIs: (date: string) => `Latest: ${date}.`,
  itMentions: (drugs: number) => `It mentions ${countEn(drugs, "drug")}`,
  theyMention: (journals: number, drugs: number) =>
    `${countEn(journals, "journal mentions", "journals mention")} ${drugs === 1 ? "its drug" : `its ${countEn(drugs, "drug")}`}`,
  and: (parts: string[]) => new Intl.ListFormat("en", { type: "conjunction" }).format(parts),

  summary: (mentions: number, drugs: number, journals: number) =>
    `${countEn(mentions, "mention")} of ${countEn(drugs, "drug")} in titles of ${countEn(journals, "journal")}`,
  fromTo: (from: string, to: string) => `from ${from} to ${to}`,
  unmentioned: (number: number) =>
    `${countEn(number, "further drug")} of the list: no title names ${number === 1 ? "it" : "them"}.`,
  retractedMentions: (number: number): string =>
    number === 1
      ? "1 mention is of a retracted publication."
      : `${countEn(number, "mention")} are of retracted publications.`,
  ambiguousMentions: (number: number) =>
    `${countEn(number, "mention is", "mentions are")} by a name that other drugs have, too.`,

  topJournals: (number: number): string =>
    number === 1 ? "Journal with the most drugs" : "Journals with the most drugs",
  topWhy: (drugs: number, journals: number) =>
    `${countEn(drugs, "different drug")}${journals > 1 ? " each" : ""}, in any publication.`,
  tied: (number: number) => `and ${showNumber(number, "en")} more with as many`,
  latestMentions: "Latest mentions",
  news: "What is new",
  newsSince: "since the release before",
  newsNone: "There is no release before this one to compare with.",
  newsNothing: "Nothing has changed since the release before.",
  newsAdded: (number: number) => `${countEn(number, "mention")} added`,
  newsGone: (number: number) => `${showNumber(number, "en")} gone`,
  newsChanged: (number: number) => `${showNumber(number, "en")} changed`,
  newsFirsts: (number: number) => `${countEn(number, "first mention")} of a drug in a journal`,
  newsNoLongerSearched: (number: number) =>
    `${showNumber(number, "en")} of drugs that are no longer searched`,
  newsOfNewDrugs: (number: number) =>
    `${showNumber(number, "en")} of those added ${number === 1 ? "is" : "are"} of drugs that are new in the list.`,
  newsDrugsAdded: "New in the list of drugs:",
  newsDrugsDropped: "No longer in the list, so no longer searched:",
  newsNamesAdded: "New names that are searched:",
  newsNamesDropped: "Names that are no longer searched:",
  newsRules:
    "The rules have changed: some of this may be due to them, and not to new publications.",
  newsOnly: "Only with new mentions",
  othersToo: (number: number) => `and ${countEn(number, "other")}`,
  in: "in",

  quality: "Quality of the run",
  sourceNames: { drugs: "Drugs", pubmed: "PubMed", clinical_trials: "Clinical trials" } as Record<
    string,
    string
  >,
  read: "Read",
  kept: "Kept",
  merged: "Merged",
  rejected: "Rejected",
  source: "Source",
  whyRejected: "Why rows were rejected",
  reasons: reasonsEn,
  files: (number: number) => `${countEn(number, "file")} read.`,
  unreadFiles: (number: number) => `${countEn(number, "file")} could not be read:`,

  filter: "Filter this list",
  lists: "Lists",
  numberOf: (number: number, all: string) => `${showNumber(number, "en")} of ${all}`,
  more: (number: number) => `Show ${showNumber(number, "en")} more`,
  noRows: "No row matches.",
  saveXlsx: "Save as spreadsheet",
  saveCsv: "Save as CSV",
  retracted: "retracted",
  new: "new",
  countRetracted: (number: number) => `${showNumber(number, "en")} retracted`,
  countAmbiguous: (number: number) => `${showNumber(number, "en")} ambiguous`,
  countNew: (number: number) => `${showNumber(number, "en")} new`,

  noneMentioned: "No title mentions a drug of this class.",
  drugsOfJournal: "What it writes about",
  drugsOfClass: "Drugs of this class",
  journalsOfClass: "Journals that mention them",
  classesBelow: "Classes below",
  firstMention: "First mention",

  unknown: "Not in this data",
  unknownDrug: (text: string) => `No drug is named “${text}”, and none has it for a code.`,
  unknownJournal: (text: string) => `No journal that mentions a drug is named “${text}”.`,
  unknownClass: (text: string) => `No drug is of a class “${text}”.`,
  unknownClose: "Perhaps one of these:",
};
