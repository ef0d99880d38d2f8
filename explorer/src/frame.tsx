// What surrounds each view, and which view an address opens.
import { useEffect } from "preact/hooks";
import { ClassPage } from "./class.tsx";
import { drugNames } from "./data.ts";
import { DrugPage } from "./drug.tsx";
import { findClass, findDrugs, findJournal } from "./find.ts";
import { HomePage } from "./home.tsx";
import { JournalPage } from "./journal.tsx";
import { usePage } from "./page.ts";
import { Main, Waiting } from "./parts.tsx";
import { SearchBox } from "./search-box.tsx";
import { UnknownPage } from "./unknown.tsx";

function Header() {
  const { words, route, to, change } = usePage();
  const otherLang = route.lang === "fr" ? "en" : "fr";
  return (
    <header>
      <a class="brand" href={to({})}>
        <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
          <path d="M5 12 19 5M5 12l14 7" />
          <circle cx="5" cy="12" r="4" class="drug" />
          <circle cx="19" cy="5" r="3" class="article" />
          <circle cx="19" cy="19" r="3" class="trial" />
        </svg>
        <span>{words.brand}</span>
      </a>
      <SearchBox />
      <nav aria-label={words.language}>
        <a class="act" href={change({ lang: otherLang })} lang={otherLang}>
          {words.otherLanguage}
        </a>
        <button type="button" class="act" onClick={() => print()}>
          {words.print}
        </button>
      </nav>
    </header>
  );
}

/** What the address names, and the page of it. */
function useView() {
  const { index, names, error, route, words } = usePage();
  if (route.drug !== undefined) {
    const drugs = findDrugs(index, names, route.drug);
    if (drugs === undefined) {
      const waiting = (
        <Main>
          <h1>{route.drug}</h1>
          <Waiting error={error} />
        </Main>
      );
      return { title: route.drug, view: waiting };
    }
    // Of several that share a name, the page of the first names the others.
    const [drug] = drugs;
    if (drug === undefined) {
      return { title: words.unknown, view: <UnknownPage text={route.drug} /> };
    }
    return {
      title: drugNames(index, names, drug)[0] ?? route.drug,
      view: <DrugPage key={drug} index={index} drug={drug} route={route} />,
    };
  }
  if (route.journal !== undefined) {
    const journal = findJournal(index, route.journal);
    if (journal === null)
      return { title: words.unknown, view: <UnknownPage text={route.journal} /> };
    return {
      title: index.journals.name[journal]!,
      view: <JournalPage key={journal} journal={journal} />,
    };
  }
  if (route.class !== undefined) {
    const at = findClass(index, route.class);
    if (at === null) return { title: words.unknown, view: <UnknownPage text={route.class} /> };
    return { title: index.classes.code[at]!, view: <ClassPage key={at} at={at} /> };
  }
  return { title: null, view: <HomePage /> };
}

export function Frame() {
  const { words } = usePage();
  const { title, view } = useView();
  useEffect(() => {
    document.title = title === null ? words.brand : `${title} – ${words.brand}`;
  }, [title, words]);
  const skip = (event: Event) => {
    event.preventDefault(); // the address belongs to the views
    document.getElementById("main")?.focus();
  };
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        {words.skip}
      </a>
      <Header />
      {view}
      <footer class="dim">{words.foot}</footer>
    </>
  );
}
