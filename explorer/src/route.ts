// The address of a view is all that the view depends on: it can be sent, and Back leads to the one before.
import type { Lang } from "./words.ts";

/** What an address says. */
export interface Route {
  /** The page: at most one of these; none is home. Ids, names, codes. */
  drug?: string | undefined;
  journal?: string | undefined;
  class?: string | undefined;
  /** Filters of a drug's mentions: id of a journal, years, type of publication. */
  in?: string | undefined;
  from?: number | undefined;
  to?: number | undefined;
  type?: string | undefined;
  /** Only what is new since the release before. */
  new?: boolean | undefined;
  /** Only what is of retracted publications. */
  retracted?: boolean | undefined;
  /** Related drugs: without the journals of the drug's trials. */
  reading?: "no-trials" | undefined;
  /** Order of the lanes, and of the rows of a list ("-mentions": from the greatest). */
  order?: string | undefined;
  sort?: string | undefined;
  /** Home: which list, and the text that its rows contain. */
  list?: string | undefined;
  q?: string | undefined;
  lang: Lang;
}

/** The texts of an address, in the order in which it says them. */
const TEXTS = ["drug", "journal", "class", "list", "q", "in", "type", "order", "sort"] as const;
const YEARS = ["from", "to"] as const;
const MARKS = ["new", "retracted"] as const;

/** The language of an address that names none. */
export const systemLang: Lang =
  typeof navigator !== "undefined" && navigator.language.toLowerCase().startsWith("fr")
    ? "fr"
    : "en";

export function readRoute(hash: string): Route {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const lang = said.get("lang");
  const route: Route = { lang: lang === "en" || lang === "fr" ? lang : systemLang };
  for (const key of TEXTS) route[key] = said.get(key) ?? undefined;
  for (const key of YEARS) {
    const year = said.get(key) ?? "";
    if (/^\d{4}$/.test(year)) route[key] = Number(year);
  }
  for (const key of MARKS) if (said.get(key) === "1") route[key] = true;
  if (said.get("reading") === "no-trials") route.reading = "no-trials";
  return route;
}

/** The address of a view. What is as if it were not said is left out. */
export function address(route: Route): string {
  const said = new URLSearchParams();
  for (const key of [...TEXTS, ...YEARS]) {
    const value = route[key];
    if (value !== undefined && value !== "") said.set(key, String(value));
  }
  for (const key of MARKS) if (route[key]) said.set(key, "1");
  if (route.reading) said.set("reading", route.reading);
  if (route.lang !== systemLang) said.set("lang", route.lang);
  return `#${said.toString().replaceAll("+", "%20")}`;
}

/** Opens a view. Back leads to the one before. */
export function go(route: Route): void {
  location.hash = address(route);
}

/** Corrects the address while something is typed: Back does not go letter by letter. */
export function goInPlace(route: Route): void {
  history.replaceState(history.state, "", address(route));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Two addresses of one page differ in filters alone. */
export function pageOf({ drug, journal, class: code }: Route): string {
  return JSON.stringify([drug, journal, code]);
}
