// The list of all drugs.
import { useMemo } from "preact/hooks";
import { AddressedList, OnlyNew, numbers } from "./addressed-list.tsx";
import { dateColumn, greatest, mentionColumns, numberColumn } from "./columns.tsx";
import { drugCodes, drugCount, drugId, drugNames } from "./data.ts";
import type { Column } from "./list.tsx";
import { usePage } from "./page.ts";
import { Counts } from "./parts.tsx";

export function DrugList() {
  const page = usePage();
  const { index, names, route, words, to } = page;
  const { drugs } = index;
  const rows = useMemo(() => {
    if (route.new) return numbers(index.mentioned).filter((drug) => drugs.fresh[drug]! > 0);
    return numbers(names ? drugCount(index) : index.mentioned);
  }, [index, names, route.new]);
  const nameOf = (drug: number) => drugNames(index, names, drug)[0] ?? "";
  const columns: Column<number>[] = [
    {
      key: "name",
      label: words.drug,
      value: nameOf,
      show: (drug) => (
        <span class="named">
          <a href={to({ drug: drugId(index, names, drug) })}>{nameOf(drug)}</a>{" "}
          <Counts
            retracted={drugs.retracted[drug]}
            ambiguous={drugs.ambiguous[drug]}
            fresh={drugs.fresh[drug]}
          />
        </span>
      ),
    },
    ...mentionColumns<number>(page, greatest(index.mentions), (drug) =>
      drugs.by.map((counts) => counts[drug] ?? 0),
    ),
    numberColumn(page, "journals", words.journals, (drug) => drugs.journals[drug] ?? 0),
    dateColumn("first", words.since, (drug) => drugs.first[drug]),
    { ...dateColumn("last", words.latest, (drug) => drugs.last[drug]), minor: true },
    {
      key: "names",
      label: words.otherNames,
      onlySaved: true,
      value: (drug) => drugNames(index, names, drug).slice(1).join(" | "),
    },
    {
      key: "codes",
      label: words.code,
      onlySaved: true,
      value: (drug) => (names ? drugCodes(index, names, drug).join(" | ") : ""),
    },
  ];
  return (
    <AddressedList
      label={words.drugs}
      file="drugs"
      kind="drug"
      rows={rows}
      columns={columns}
      count={words.countDrugs}
      sort="-mentions"
      isEmpty={(drug) => drug >= index.mentioned}
    >
      <OnlyNew />
    </AddressedList>
  );
}
