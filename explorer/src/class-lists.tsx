// The lists of a class's page: its drugs, and the journals that mention them.
import { useMemo, useState } from "preact/hooks";
import { dateColumn, greatest, mentionColumns, numberColumn, sumOf } from "./columns.tsx";
import { type Index, drugCodes, drugId, drugNames, factsOf } from "./data.ts";
import type { DateCode } from "./dates.ts";
import { useLoaded } from "./hooks.ts";
import { type Column, List } from "./list.tsx";
import { usePage } from "./page.ts";
import { Waiting } from "./parts.tsx";

export function ClassDrugs({ drugs, file }: { drugs: number[]; file: string }) {
  const page = usePage();
  const { index, names, words, to } = page;
  const [sort, setSort] = useState({ column: "mentions", down: true });
  const nameOf = (drug: number) => drugNames(index, names, drug)[0] ?? "";
  const most = greatest(drugs.map((drug) => index.mentions[drug] ?? 0));
  const columns: Column<number>[] = [
    {
      key: "name",
      label: words.drug,
      value: nameOf,
      show: (drug) => <a href={to({ drug: drugId(index, names, drug) })}>{nameOf(drug)}</a>,
    },
    {
      key: "code",
      label: words.code,
      minor: true,
      value: (drug) => (names ? drugCodes(index, names, drug).join(", ") : ""),
    },
    ...mentionColumns<number>(page, most, (drug) =>
      index.drugs.by.map((counts) => counts[drug] ?? 0),
    ),
    numberColumn(page, "journals", words.journals, (drug) => index.drugs.journals[drug] ?? 0),
    dateColumn("first", words.since, (drug) => index.drugs.first[drug]),
    { ...dateColumn("last", words.latest, (drug) => index.drugs.last[drug]), minor: true },
  ];
  return (
    <List
      label={words.drugsOfClass}
      file={`${file} ${words.drugs}`}
      rows={drugs}
      columns={columns}
      keyOf={(drug) => drug}
      isEmpty={(drug) => drug >= index.mentioned}
      sort={sort}
      setSort={setSort}
    >
      <span class="dim">{words.countDrugs(drugs.length)}</span>
    </List>
  );
}

interface JournalRow {
  journal: number;
  drugs: number;
  byType: number[];
  first: DateCode | null;
  last: DateCode | null;
}

/** The journals that mention any of the drugs, counted from the facts of each. */
async function journalsOf(index: Index, drugs: readonly number[]): Promise<JournalRow[]> {
  const rows = new Map<number, JournalRow>();
  for (const drug of drugs) {
    const { d: dates, t: types, j: journals } = await factsOf(index, drug);
    const seen = new Set<number>();
    for (let at = 0; at < journals.length; at++) {
      const journal = journals[at]!;
      if (journal < 0) continue;
      let row = rows.get(journal);
      if (!row) {
        row = { journal, drugs: 0, byType: index.types.map(() => 0), first: null, last: null };
        rows.set(journal, row);
      }
      if (!seen.has(journal)) row.drugs++;
      seen.add(journal);
      row.byType[types[at]!]!++;
      const date = dates[at]!;
      if (date === null) continue;
      if (row.first === null || date < row.first) row.first = date;
      if (row.last === null || date > row.last) row.last = date;
    }
  }
  return [...rows.values()].sort((a, b) => a.journal - b.journal);
}

export function ClassJournals({ drugs, file }: { drugs: number[]; file: string }) {
  const page = usePage();
  const { index, words, to } = page;
  const [sort, setSort] = useState({ column: "mentions", down: true });
  const mentioned = useMemo(() => drugs.filter((drug) => drug < index.mentioned), [drugs]);
  const { value: rows, error } = useLoaded(() => journalsOf(index, mentioned), [mentioned]);
  if (mentioned.length === 0) return null;
  const columns: Column<JournalRow>[] = [
    {
      key: "name",
      label: words.journal,
      value: ({ journal }) => index.journals.name[journal]!,
      show: ({ journal }) => (
        <a href={to({ journal: index.journals.id[journal] })}>{index.journals.name[journal]}</a>
      ),
    },
    numberColumn(page, "drugs", words.drugs, (row) => row.drugs),
    ...mentionColumns<JournalRow>(
      page,
      greatest((rows ?? []).map(({ byType }) => sumOf(byType))),
      ({ byType }) => byType,
    ),
    dateColumn("first", words.since, ({ first }) => first),
    { ...dateColumn("last", words.latest, ({ last }) => last), minor: true },
  ];
  return (
    <section>
      <h2>{words.journalsOfClass}</h2>
      {rows ? (
        <List
          label={words.journalsOfClass}
          file={`${file} ${words.journals}`}
          rows={rows}
          columns={columns}
          keyOf={({ journal }) => journal}
          sort={sort}
          setSort={setSort}
        >
          <span class="dim">{words.countJournals(rows.length)}</span>
        </List>
      ) : (
        <Waiting error={error} />
      )}
    </section>
  );
}
