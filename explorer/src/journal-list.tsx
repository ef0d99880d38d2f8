// The list of the journals that mention a drug.
import { useMemo } from "preact/hooks";
import { AddressedList, OnlyNew, numbers } from "./addressed-list.tsx";
import { dateColumn, greatest, mentionColumns, numberColumn } from "./columns.tsx";
import type { Column } from "./list.tsx";
import { usePage } from "./page.ts";
import { Counts } from "./parts.tsx";

export function JournalList() {
  const page = usePage();
  const { index, route, words, to } = page;
  const { journals } = index;
  const rows = useMemo(
    () => numbers(journals.id.length).filter((at) => !route.new || journals.fresh[at]! > 0),
    [index, route.new],
  );
  const columns: Column<number>[] = [
    {
      key: "name",
      label: words.journal,
      value: (at) => journals.name[at]!,
      show: (at) => (
        <span class="named">
          <a href={to({ journal: journals.id[at] })}>{journals.name[at]}</a>{" "}
          <Counts retracted={journals.retracted[at]} fresh={journals.fresh[at]} />
        </span>
      ),
    },
    numberColumn(page, "drugs", words.drugs, (at) => journals.drugs[at]!),
    ...mentionColumns<number>(page, greatest(index.journalMentions), (at) =>
      journals.by.map((counts) => counts[at]!),
    ),
    dateColumn("first", words.since, (at) => journals.first[at]!),
    { ...dateColumn("last", words.latest, (at) => journals.last[at]!), minor: true },
  ];
  return (
    <AddressedList
      label={words.journals}
      file="journals"
      kind="journal"
      rows={rows}
      columns={columns}
      count={words.countJournals}
      sort="-drugs"
    >
      <OnlyNew />
    </AddressedList>
  );
}
