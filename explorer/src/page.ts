// What every part of the page needs, handed down without naming it at each step.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Index, Names } from "./data.ts";
import { type Route, address } from "./route.ts";
import type { Entry } from "./search.ts";
import { type Words, words } from "./words.ts";

export interface Page {
  index: Index;
  route: Route;
  /** Null until they are read, which they are soon after the first view; `error` if they cannot be. */
  names: Names | null;
  error: Error | null;
  /** What can be searched. */
  entries: Entry[];
}

export const PageContext = createContext<Page | null>(null);

export interface UsedPage extends Page {
  words: Words;
  /** The address of another page in the same language. */
  to: (page: Partial<Route>) => string;
  /** The address of this view with some things changed. */
  change: (changes: Partial<Route>) => string;
}

export function usePage(): UsedPage {
  const page = useContext(PageContext);
  if (!page) throw new Error("no page");
  const { route } = page;
  return {
    ...page,
    words: words[route.lang],
    to: (other) => address({ ...other, lang: other.lang ?? route.lang }),
    change: (changes) => address({ ...route, ...changes }),
  };
}
