// What an address names is not in the data: what is spelled alike, and the way back.
import { hitName, hitPage } from "./hits.ts";
import { usePage } from "./page.ts";
import { Crumbs, Main } from "./parts.tsx";
import { search } from "./search.ts";

export function UnknownPage({ text }: { text: string }) {
  const page = usePage();
  const { index, entries, route, words, to } = page;
  const { hits } = search(index, entries, text, 8);
  const explained =
    route.drug !== undefined
      ? words.unknownDrug(text)
      : route.journal !== undefined
        ? words.unknownJournal(text)
        : words.unknownClass(text);
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
