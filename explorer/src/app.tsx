// Starts the page: draws the first view as soon as the index is read, and reads all names after that.
import { render } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Index, namesOf, readIndex } from "./data.ts";
import { Frame } from "./frame.tsx";
import { type Page, PageContext } from "./page.ts";
import { pageOf, readRoute } from "./route.ts";
import { keepScrolled, keepScrollPosition, restoreScrollPosition } from "./scrolling.ts";
import { searchEntries } from "./search.ts";
import "./page.css";

function App({ index }: { index: Index }) {
  const [route, setRoute] = useState(() => readRoute(location.hash));
  const [read, setRead] = useState<Pick<Page, "names" | "error" | "entries">>({
    names: null,
    error: null,
    entries: [],
  });
  const pageBefore = useRef(pageOf(route));

  // Before the first view is painted, so that no change of the address is missed.
  useLayoutEffect(() => {
    const onHash = () => setRoute(readRoute(location.hash));
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, []);
  useEffect(() => {
    namesOf(index).then(
      (names) => setRead({ names, error: null, entries: searchEntries(index, names) }),
      // The folder beside the page is missing: what the index holds can be looked at all the same.
      (error: Error) => setRead({ names: null, error, entries: searchEntries(index, null) }),
    );
  }, []);
  useEffect(() => {
    if (read.entries.length > 0) performance.mark("searchable");
  }, [read]);
  useEffect(() => {
    document.documentElement.lang = route.lang;
    if (pageOf(route) === pageBefore.current) return keepScrolled();
    pageBefore.current = pageOf(route);
    document.getElementById("main")?.focus({ preventScroll: true });
    restoreScrollPosition();
  }, [route]);

  return (
    <PageContext.Provider value={{ index, route, ...read }}>
      <Frame />
    </PageContext.Provider>
  );
}

async function start(): Promise<void> {
  keepScrollPosition();
  const index = await readIndex();
  performance.mark("index");
  const place = document.getElementById("app")!;
  place.replaceChildren(); // the view for those without scripts
  render(<App index={index} />, place);
  restoreScrollPosition(); // the page was read again
  requestAnimationFrame(() => setTimeout(() => performance.mark("painted")));
}

void start();
