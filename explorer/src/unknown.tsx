// What an address names is not in the data: what is spelled alike, and the way back.
import { hitName, hitPage } from "./hits.ts";
import { usePage } from "./page.ts";
import { Crumbs, Main } from "./parts.tsx";
import { search } from "./search.ts";

export function UnknownPage({ text }: { text: string }) {
  const page = usePage();
  const { index, entries, route, words, to } = page;
  const kind =
    route.drug !== undefined ? "drug" : route.journal !== undefined ? "journal" : "class";
  const explained = {
    drug: words.unknownDrug,
    journal: words.unknownJournal,
    class: words.unknownClass,
  }[kind](text);
  // What is of the kind that was meant, if anything is; else it may have been meant for another.
  const sameKind = search(
    index,
    entries.filter((entry) => entry.kind === kind),
    text,
    8,
  );
  const { hits } = sameKind.total > 0 ? sameKind : search(index, entries, text, 8);
  return (
    <Main>
      <Crumbs links={[{ href: to({}), text: words.home }]} />
      <h1>{words.unknown}</h1>
      <p class="lead">{explained}</p>
      {hits.length > 0 && (
        <>
          <p>{words.unknownClose}</p>
          <ul>
            {hits.map((hit) => (
              <li key={`${hit.kind}${hit.at}`}>
                <a href={to(hitPage(page, hit))}>{hitName(page, hit)}</a>{" "}
                <span class="dim">{words.kind[hit.kind]}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Main>
  );
}
