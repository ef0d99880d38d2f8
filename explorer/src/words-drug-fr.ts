// The French of the drug page. No-break spaces stand before colons and the like.
import { showMonth, showNumber } from "./dates.ts";
import type { DrugWords } from "./words-drug-en.ts";

const number = (count: number) => showNumber(count, "fr");
const isOne = (count: number) => count < 2;
const counted = (count: number, one: string, several = `${one}s`) =>
  `${number(count)} ${isOne(count) ? one : several}`;
const articles = (count: number) => counted(count, "article");
const trials = (count: number) => counted(count, "essai");
const journals = (count: number) => counted(count, "revue");
const mentions = (count: number) => counted(count, "mention");

export const fr: DrugWords = {
  articles,
  trials,
  journals,
  mentions,
  article: "Article",
  trial: "Essai",
  articlesHead: "Articles",
  trialsHead: "Essais",
  newTab: "(nouvel onglet)",
  less: "Afficher moins",

  alsoFoundAs: "Aussi trouvé sous",
  allNames: (count) => `Afficher les ${number(count)} noms`,
  atc: (code) => `ATC ${code}`,
  alsoNameOf: (name) => `«\u00a0${name}\u00a0» est aussi un nom de`,
  alsoCodeOf: (code) => `«\u00a0${code}\u00a0» est aussi un code de`,
  furtherNames: (count) =>
    isOne(count)
      ? "Un autre de ses noms est aussi celui d’autres médicaments."
      : `${number(count)} autres de ses noms sont aussi ceux d’autres médicaments.`,
  neverMentioned: "Aucun titre ne cite ce médicament.",
  whoMentions: (count) =>
    count === 0
      ? "Aucune revue n’est indiquée pour ses mentions"
      : `${journals(count)} ${isOne(count) ? "le cite" : "le citent"}`,
  sinceWhen: (said) => {
    const since = said.first === null ? "" : ` depuis ${showMonth(said.first, "fr")}`;
    const latest =
      said.last === null
        ? "Aucune n’est datée."
        : `Dernière mention\u00a0: ${showMonth(said.last, "fr")}.`;
    return `${since}\u00a0: ${articles(said.articles)}, ${trials(said.trials)}. ${latest}`;
  },
  retractedOf: (count) =>
    `${number(count)} ${isOne(count) ? "vient d’une publication rétractée" : "viennent de publications rétractées"}.`,
  freshOf: (count) =>
    `${number(count)} ${isOne(count) ? "nouvelle" : "nouvelles"} depuis la version précédente.`,
  unreadable: (what) =>
    `Lecture impossible de ${what}\u00a0: gardez le dossier à côté de cette page.`,

  lanes: {
    heading: "Quelles revues, depuis quand",
    order: "Ordre des revues",
    byMentions: "Plus de mentions",
    byFirst: "Premières à citer",
    vague: "Jour inconnu",
    fresh: "Nouvelle",
    retracted: "Rétractée",
    cells: (most) => `Une année\u00a0: 1 à ${mentions(most)}`,
    years: "Années",
    yearsHow:
      "Choisir des années\u00a0: flèches, Entrée\u00a0; Maj pour plusieurs\u00a0; Échap pour " +
      "toutes.",
    year: (year, ofArticles, ofTrials) =>
      `${year}\u00a0: ${articles(ofArticles)}, ${trials(ofTrials)}`,
    mostAYear: (most) => `${number(most)} par an au plus`,
    since: (date) => `depuis ${date}`,
    noDate: "sans date",
    lane: (count, latest) =>
      latest === null ? mentions(count) : `${mentions(count)}, dernière ${latest}`,
    how: "Choisissez une revue ou une année pour filtrer les preuves ci-dessous.",
    noDates: "Aucune de ces mentions n’est datée.",
    undated: (count, all) =>
      `${number(count)} sur ${mentions(all)} ` +
      (isOne(count)
        ? "n’est pas datée et n’a pas de marque ici."
        : "ne sont pas datées et n’ont pas de marque ici."),
    withoutJournal: (count) =>
      isOne(count)
        ? `${mentions(count)} vient d’une publication sans revue.`
        : `${mentions(count)} viennent de publications sans revue.`,
    more: (count) => `Afficher ${number(count)} revues de plus`,
  },

  evidence: {
    heading: "Preuves",
    shown: (count, all) =>
      count === all
        ? `${mentions(all)}, les plus récentes d’abord`
        : `${number(count)} sur ${mentions(all)}`,
    type: "Type",
    all: "Tout",
    fresh: "Nouvelles",
    retractedOnes: "Rétractées",
    from: "De l’année",
    to: "À l’année",
    any: "toutes",
    remove: (filter) => `Retirer le filtre ${filter}`,
    removeAll: "Retirer tous les filtres",
    more: (count) => `Afficher ${number(count)} de plus`,
    nothing: "Aucune mention ne passe ces filtres.",
    withoutDates: (count) =>
      `${mentions(count)} sans date ${isOne(count) ? "n’est" : "ne sont"} d’aucune année.`,
    mayLieOutside: (count) =>
      `${mentions(count)} ${isOne(count) ? "peut être" : "peuvent être"} hors de la période\u00a0: ` +
      "un hiver est de deux années.",
    noDate: "sans date",
    noJournal: "sans revue",
    retracted: "Rétractée",
    retractedWhy: "La publication a été rétractée.",
    ambiguous: "Ambiguë",
    ambiguousWhy: "Chaque nom trouvé est aussi celui d’un autre médicament.",
    isFresh: "Nouvelle",
    freshWhy: "Absente de la version précédente.",
    first: "Première dans cette revue",
    by: {
      abbreviation: "trouvé comme abréviation d’un nom",
      in_brackets: "trouvé entre parenthèses après un nom",
      before_brackets: "trouvé avant un nom entre parenthèses",
      ion: "trouvé par la formule d’un ion",
    },
    publicationsOf: "Publications de cet essai",
    trialsOf: "Essais de cette publication",
    kinds: {
      result: "résultats",
      derived: "trouvée par le registre",
      background: "contexte",
      named: "nomme l’essai",
    },
    allLinked: (count) => `Tout afficher (${number(count)})`,
  },

  save: {
    saving: "Enregistrement…",
    saved: (file) => `Enregistré sous ${file}.`,
    cut: (count) =>
      `${counted(count, "texte")} de plus de 32 767 caractères, ce que contient une cellule, ` +
      `${isOne(count) ? "a été coupé" : "ont été coupés"}.`,
    failed: "Enregistrement impossible.",
    mentions: "Mentions",
    related: "Médicaments liés",
    head: {
      drug: "Médicament",
      type: "Type",
      id: "Identifiant",
      title: "Titre",
      found: "Mots trouvés",
      journal: "Revue",
      date: "Date",
      precision: "Précision de la date",
      retracted: "Rétractée",
      ambiguous: "Ambiguë",
      fresh: "Nouvelle",
      address: "Adresse",
      journals: "Revues communes",
      lift: "Fois le hasard",
      names: "Revues",
    },
    yes: "oui",
    no: "non",
    unknown: "inconnu",
    precisions: { day: "jour", month: "mois", season: "saison", year: "année" },
  },

  graph: {
    heading: "Le graphe autour",
    few:
      "De gauche à droite\u00a0: le médicament, ses publications, leurs revues avec la date, et " +
      "d’autres médicaments de ces revues.",
    many:
      "De gauche à droite\u00a0: le médicament\u00a0; les revues qui le citent le plus, avec " +
      "leur part et depuis quand\u00a0; d’autres médicaments de ces revues, chacun lié aux trois " +
      "qui en parlent le plus, en proportion. Filtrez à 16 mentions ou moins pour voir les " +
      "publications.",
    name: "Médicament, publications, revues et médicaments liés",
    drug: "Médicament",
    publications: "Publications",
    journals: "Revues",
    related: "Médicaments liés",
    journal: (name, count, share, since) =>
      `${name}\u00a0: ${mentions(count)}, ${share}${since === null ? "" : `, depuis ${since}`}`,
    otherJournals: (count, share) =>
      `${counted(count, "autre revue", "autres revues")}\u00a0: ${share}`,
    relatedDrug: (name, shared) =>
      `${name}\u00a0: ${counted(shared, "revue commune", "revues communes")}`,
    publication: (type, id, date, title) => `${type} ${id}, ${date}\u00a0: ${title}`,
  },

  related: {
    heading: "Médicaments liés",
    why: "Médicaments que citent les articles des mêmes revues, sans les essais.",
    withoutTrials: "sans les revues qui le citent dans un essai",
    order: "Ordre des médicaments liés",
    byJournals: "Plus de revues",
    byName: "Nom",
    byLift: "Plus que le hasard",
    shared: (count, of) => `${number(count)} sur ${journals(of)}`,
    lift: (times) => `${times} × le hasard`,
    liftWhy:
      "Fois le hasard\u00a0: revues qui citent les deux × toutes les revues avec articles ÷ " +
      "(revues qui citent l’un × revues qui citent l’autre).",
    none: "Aucun autre médicament n’est cité par les articles de ces revues.",
    reading: "Calcul…",
    more: (count) => `Afficher ${number(count)} de plus`,
    furtherJournals: (count) => `et ${number(count)} de plus`,
  },
};
