// The page of a drug: since when which journals mention it, the evidence, what is around it.
import { useMemo, useState } from "preact/hooks";
import { type Facts, type Index, factsOf } from "./data.ts";
import { filterOf } from "./drug-filter.ts";
import { DrugHeader } from "./drug-header.tsx";
import { useDrugWords } from "./drug-words.ts";
import { Evidence } from "./evidence.tsx";
import { Neighbourhood } from "./graph.tsx";
import { useLoaded } from "./hooks.ts";
import { Lanes } from "./lanes.tsx";
import { countYears, rowsThatPass, shareOut } from "./mentions.ts";
import { usePage } from "./page.ts";
import { Main, Waiting } from "./parts.tsx";
import { orderOf, RelatedDrugs } from "./related.tsx";
import { ranked, relate } from "./relating.ts";
import type { Route } from "./route.ts";
import "./drug.css";

/** `drug`: its place in the index, or behind it if no title mentions it. */
export function DrugPage({ index, drug }: { index: Index; drug: number; route: Route }) {
  const words = useDrugWords();
  return (
    <Main>
      <DrugHeader drug={drug} />
      {drug < index.mentioned ? (
        <Mentions key={drug} drug={drug} />
      ) : (
        <p class="lead">{words.neverMentioned}</p>
      )}
    </Main>
  );
}

function Mentions({ drug }: { drug: number }) {
  const { index } = usePage();
  const { value: facts, error } = useLoaded(() => factsOf(index, drug), [drug]);
  return facts ? <AllOf drug={drug} facts={facts} /> : <Waiting error={error} />;
}

function AllOf({ drug, facts }: { drug: number; facts: Facts }) {
  const { index, route } = usePage();
  const [evidenceIsShown, setEvidenceIsShown] = useState(false);
  const { in: journal, from, to, type, new: fresh, retracted } = route;
  // Orders and readings change no filter: the rows that are shown stay.
  const filter = useMemo(
    () => filterOf(index, route),
    [index, journal, from, to, type, fresh, retracted],
  );
  const years = useMemo(() => countYears(index, facts), [index, facts]);
  const shares = useMemo(() => shareOut(index, facts, facts.j.keys()), [index, facts]);
  const rows = useMemo(() => rowsThatPass(facts, filter), [facts, filter]);
  const shownShares = useMemo(() => shareOut(index, facts, rows), [index, facts, rows]);
  const withoutTrials = route.reading === "no-trials";
  // Evidence first: related drugs of a heavy drug keep the browser busy for a while.
  const relations = useLoaded(async () => {
    if (!evidenceIsShown) return null;
    return relate(index, drug, shares, withoutTrials);
  }, [evidenceIsShown, shares, withoutTrials]);
  const order = orderOf(route);
  const ranks = useMemo(
    () => ranked(relations.value?.related ?? [], order),
    [relations.value, order],
  );
  return (
    <>
      <Lanes facts={facts} years={years} shares={shares} filter={filter} />
      <Evidence
        drug={drug}
        facts={facts}
        years={years}
        rows={rows}
        filter={filter}
        onShown={() => setEvidenceIsShown(true)}
      />
      <Neighbourhood
        drug={drug}
        facts={facts}
        rows={rows}
        shares={shownShares}
        relations={relations.value}
        ranks={ranks}
      />
      <RelatedDrugs drug={drug} relations={relations.value} ranks={ranks} error={relations.error} />
    </>
  );
}
