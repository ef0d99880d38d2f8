// What the page says in French.
import { showNumber } from "./dates.ts";
import type { Words } from "./words.ts";
import { reasonsFr } from "./words-reasons.ts";

/** "0 médicament", "1 médicament", "2 médicaments". */
const countFr = (number: number, one: string, many = `${one}s`) =>
  `${showNumber(number, "fr")} ${number < 2 ? one : many}`;

export const fr: Words = {
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

  noneMentioned: "Aucun titre ne cite un médicament de cette classe.",
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
