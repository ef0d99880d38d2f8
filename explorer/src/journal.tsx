// The page of a journal: which drugs it mentions, and since when.
import { useMemo, useState } from "preact/hooks";
import { countTypes, dateColumn, greatest, mentionColumns, sumOf } from "./columns.tsx";
import { type Index, pairsOf } from "./data.ts";
import { type DateCode, showMonth } from "./dates.ts";
import { useLoaded } from "./hooks.ts";
import { type Column, List } from "./list.tsx";
import { usePage } from "./page.ts";
import { Counts, Crumbs, Main, Waiting } from "./parts.tsx";
import { TimeTrack, trackOf } from "./time-track.tsx";

interface Row {
  drug: number;
  byType: number[];
  first: DateCode | null;
}

async function rowsOf(index: Index, journal: number): Promise<Row[]> {
  const [pairs] = await pairsOf(index, [journal]);
  return pairs!.drug.map((drug, at) => ({
    drug,
    byType: pairs!.by.map((counts) => counts[at]!),
    first: pairs!.first[at]!,
  }));
}

export function JournalPage({ journal }: { journal: number }) {
  const { index, words, to } = usePage();
  const { value: rows, error } = useLoaded(() => rowsOf(index, journal), [index, journal]);
  return (
    <Main>
      <Crumbs
        links={[
          { href: to({}), text: words.home },
          { href: to({ list: "journals" }), text: words.journals },
        ]}
      />
      <h1>{index.journals.name[journal]}</h1>
      <Lead journal={journal} />
      <section>
        <h2>{words.drugsOfJournal}</h2>
        {rows ? <Drugs journal={journal} rows={rows} /> : <Waiting error={error} />}
      </section>
    </Main>
  );
}

/** How many drugs, since when: the answer in one sentence. */
function Lead({ journal }: { journal: number }) {
  const { index, route, words } = usePage();
  const { drugs, first, last, by, retracted, fresh } = index.journals;
  const since = first[journal]!;
  const latest = last[journal]!;
  return (
    <>
      <p class="lead">
        <b>{words.itMentions(drugs[journal]!)}</b>
        {since !== null && ` ${words.sinceWhen(showMonth(since, route.lang))}`}
        {words.colon}
        {countTypes(
          index,
          words,
          by.map((counts) => counts[journal]!),
        )}
        .{latest !== null && ` ${words.latestIs(showMonth(latest, route.lang))}`}
      </p>
      <Counts retracted={retracted[journal]} fresh={fresh[journal]} />
    </>
  );
}

function Drugs({ journal, rows }: { journal: number; rows: Row[] }) {
  const page = usePage();
  const { index, words, to } = page;
  const [sort, setSort] = useState({ column: "mentions", down: true });
  const track = useMemo(() => trackOf(rows.map(({ first }) => first)), [rows]);
  const most = useMemo(() => greatest(rows.map(({ byType }) => sumOf(byType))), [rows]);
  const columns: Column<Row>[] = [
    {
      key: "name",
      label: words.drug,
      value: ({ drug }) => index.drugs.name[drug]!,
      show: ({ drug }) => (
        <a href={to({ drug: index.drugs.id[drug], in: index.journals.id[journal] })}>
          {index.drugs.name[drug]}
        </a>
      ),
    },
    ...mentionColumns<Row>(page, most, ({ byType }) => byType),
    dateColumn("first", words.since, ({ first }) => first),
  ];
  if (track) {
    columns.push({
      key: "track",
      label: `${words.firstMention}, ${track.firstYear}–${track.lastYear}`,
      onlyShown: true,
      minor: true,
      value: ({ first }) => first,
      show: ({ first }) => <TimeTrack track={track} date={first} />,
    });
  }
  return (
    <List
      label={words.drugsOfJournal}
      file={index.journals.name[journal]!}
      rows={rows}
      columns={columns}
      keyOf={({ drug }) => drug}
      sort={sort}
      setSort={setSort}
    >
      <span class="dim" role="status">
        {words.countDrugs(rows.length)}
      </span>
    </List>
  );
}
