// All that the page says, in each language. French has the type of English: what is missing in one of
// them does not compile. What only the page of a drug says is in words-drug.ts.
import { showNumber } from "./dates.ts";
import { reasonsEn, reasonsFr } from "./words-reasons.ts";

export type Lang = "en" | "fr";

/** "1 drug", "2 drugs": French takes 0 for one, too. */
const countEn = (number: number, one: string, many = `${one}s`) =>
  `${showNumber(number, "en")} ${number === 1 ? one : many}`;
const countFr = (number: number, one: string, many = `${one}s`) =>
  `${showNumber(number, "fr")} ${number < 2 ? one : many}`;

const en = {
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
  unmentioned: (number: number) => `${countEn(number, "further drug")} of the list: no title names ${number === 1 ? "it" : "them"}.`,
  retractedMentions: (number: number): string =>
    number === 1
      ? "1 mention is of a retracted publication."
      : `${countEn(number, "mention")} are of retracted publications.`,
  ambiguousMentions: (number: number) =>
    `${countEn(number, "mention is", "mentions are")} by a name that other drugs have, too.`,

  topJournals: (number: number): string => (number === 1 ? "Journal with the most drugs" : "Journals with the most drugs"),
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
  newsRules: "The rules have changed: some of this may be due to them, and not to new publications.",
  newsOnly: "Only with new mentions",
  othersToo: (number: number) => `and ${countEn(number, "other")}`,
  in: "in",

  quality: "Quality of the run",
  sourceNames: { drugs: "Drugs", pubmed: "PubMed", clinical_trials: "Clinical trials" } as Record<string, string>,
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

export type Words = typeof en;

const fr: Words = {
  brand: "Médicaments cités",
  title: "Quelles revues parlent de nos médicaments, et depuis quand",
  skip: "Aller au contenu",
  search: "Chercher un médicament, un synonyme, un code ATC ou une revue",
  searchShort: "Médicament, code, revue",
  results: "Résultats",
  close: "Rien ne porte exactement ce nom. Orthographes proches\u00a0:",
  nothing: (text) => `Rien ne s’appelle «\u00a0${text}\u00a0».`,
  found: (number) => countFr(number, "résultat"),
  moreFound: (number) => `${showNumber(number, "fr")} de plus\u00a0: précisez`,
  language: "Langue et impression",
  otherLanguage: "English",
  print: "Imprimer",
  foot: "Tout est dans cette page. Elle n’envoie rien et ne demande rien à personne.",
  reading: "Lecture …",
  unreadable: (file) =>
    `Lecture impossible de ${file}. La page a besoin du dossier placé à côté d’elle\u00a0: copiez les deux, sans les renommer.`,

  kind: { drug: "Médicament", class: "Classe", journal: "Revue" },
  drug: "Médicament",
  journal: "Revue",
  class: "Classe",
  name: "Nom",
  otherNames: "Autres noms",
  code: "Code",
  level: "Niveau",
  drugs: "Médicaments",
  journals: "Revues",
  classes: "Classes",
  mentions: "Mentions",
  since: "Depuis",
  latest: "Dernière",
  home: "Accueil",
  noDate: "sans date",
  countDrugs: (number) => countFr(number, "médicament"),
  countJournals: (number) => countFr(number, "revue"),
  countClasses: (number) => countFr(number, "classe"),
  countMentions: (number) => countFr(number, "mention"),
  typeNames: { pubmed: ["article", "articles"], clinical_trial: ["essai", "essais"] },
  count: countFr,
  colon: "\u00a0: ",
  sinceWhen: (date) => `depuis ${date}`,
  latestIs: (date) => `Dernière mention\u00a0: ${date}.`,
  itMentions: (drugs) => `Elle cite ${countFr(drugs, "médicament")}`,
  theyMention: (journals, drugs) =>
    `${countFr(journals, "revue cite", "revues citent")} ${drugs < 2 ? "son médicament" : `ses ${countFr(drugs, "médicament")}`}`,
  and: (parts) => new Intl.ListFormat("fr", { type: "conjunction" }).format(parts),

  summary: (mentions, drugs, journals) =>
    `${countFr(mentions, "mention")} de ${countFr(drugs, "médicament")} dans les titres de ${countFr(journals, "revue")}`,
  fromTo: (from, to) => `de ${from} à ${to}`,
  unmentioned: (number) =>
    `${countFr(number, "autre médicament", "autres médicaments")} de la liste\u00a0: aucun titre ne ${number < 2 ? "le" : "les"} cite.`,
  retractedMentions: (number) =>
    number < 2
      ? `${showNumber(number, "fr")} mention vient d’une publication rétractée.`
      : `${countFr(number, "mention")} viennent de publications rétractées.`,
  ambiguousMentions: (number) =>
    `${countFr(number, "mention vient", "mentions viennent")} d’un nom que d’autres médicaments portent aussi.`,

  topJournals: (number) =>
    number < 2 ? "Revue citant le plus de médicaments" : "Revues citant le plus de médicaments",
  topWhy: (drugs, journals) =>
    `${countFr(drugs, "médicament différent", "médicaments différents")}${journals > 1 ? " chacune" : ""}, toutes publications confondues.`,
  tied: (number) => `et ${showNumber(number, "fr")} de plus à égalité`,
  latestMentions: "Dernières mentions",
  news: "Nouveautés",
  newsSince: "depuis la version précédente",
  newsNone: "Il n’y a pas de version précédente à laquelle comparer.",
  newsNothing: "Rien n’a changé depuis la version précédente.",
  newsAdded: (number) => `${countFr(number, "mention ajoutée", "mentions ajoutées")}`,
  newsGone: (number) => `${countFr(number, "disparue")}`,
  newsChanged: (number) => `${countFr(number, "modifiée")}`,
  newsFirsts: (number) =>
    `${countFr(number, "première mention", "premières mentions")} d’un médicament dans une revue`,
  newsNoLongerSearched: (number) =>
    `${showNumber(number, "fr")} de médicaments qui ne sont plus cherchés`,
  newsOfNewDrugs: (number) =>
    `${countFr(number, "mention ajoutée vient", "mentions ajoutées viennent")} de médicaments nouveaux dans la liste.`,
  newsDrugsAdded: "Nouveaux dans la liste des médicaments\u00a0:",
  newsDrugsDropped: "Retirés de la liste, donc plus cherchés\u00a0:",
  newsNamesAdded: "Nouveaux noms cherchés\u00a0:",
  newsNamesDropped: "Noms qui ne sont plus cherchés\u00a0:",
  newsRules:
    "Les règles ont changé\u00a0: une partie peut en venir, et non de nouvelles publications.",
  newsOnly: "Seulement avec nouveautés",
  othersToo: (number) => `et ${countFr(number, "autre")}`,
  in: "dans",

  quality: "Qualité de l’exécution",
  sourceNames: { drugs: "Médicaments", pubmed: "PubMed", clinical_trials: "Essais cliniques" },
  read: "Lues",
  kept: "Gardées",
  merged: "Fusionnées",
  rejected: "Rejetées",
  source: "Source",
  whyRejected: "Pourquoi des lignes sont rejetées",
  reasons: reasonsFr,
  files: (number) => `${countFr(number, "fichier lu", "fichiers lus")}.`,
  unreadFiles: (number) => `${countFr(number, "fichier illisible", "fichiers illisibles")}\u00a0:`,

  filter: "Filtrer cette liste",
  lists: "Listes",
  numberOf: (number, all) => `${showNumber(number, "fr")} sur ${all}`,
  more: (number) => `Afficher ${showNumber(number, "fr")} de plus`,
  noRows: "Aucune ligne ne correspond.",
  saveXlsx: "Enregistrer en tableur",
  saveCsv: "Enregistrer en CSV",
  retracted: "rétracté",
  new: "nouveau",
  countRetracted: (number) => countFr(number, "rétractée"),
  countAmbiguous: (number) => countFr(number, "ambiguë"),
  countNew: (number) => countFr(number, "nouvelle"),

  drugsOfJournal: "Ce dont elle parle",
  drugsOfClass: "Médicaments de cette classe",
  journalsOfClass: "Revues qui les citent",
  classesBelow: "Classes inférieures",
  firstMention: "Première mention",

  unknown: "Absent de ces données",
  unknownDrug: (text) => `Aucun médicament n’a «\u00a0${text}\u00a0» pour nom ni pour code.`,
  unknownJournal: (text) => `Aucune revue citant un médicament ne s’appelle «\u00a0${text}\u00a0».`,
  unknownClass: (text) => `Aucun médicament n’est de la classe «\u00a0${text}\u00a0».`,
  unknownClose: "Peut-être l’un de ceux-ci\u00a0:",
};

export const words: Record<Lang, Words> = { en, fr };
