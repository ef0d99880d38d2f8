// The list of the classes of drugs.
import { useMemo } from "preact/hooks";
import { AddressedList, numbers } from "./addressed-list.tsx";
import { className } from "./classes.ts";
import { numberColumn } from "./columns.tsx";
import type { Column } from "./list.tsx";
import { usePage } from "./page.ts";

export function ClassList() {
  const page = usePage();
  const { index, names, words, to } = page;
  const { classes } = index;
  const rows = useMemo(() => numbers(classes.code.length), [index]);
  const columns: Column<number>[] = [
    {
      key: "code",
      label: words.class,
      value: (at) => classes.code[at]!,
      show: (at) => (
        <a class={`level${classes.level[at]}`} href={to({ class: classes.code[at] })}>
          {classes.code[at]}
        </a>
      ),
    },
    { key: "name", label: words.name, value: (at) => className(index, names, at) || null },
    {
      ...numberColumn<number>(page, "level", words.level, (at) => classes.level[at]!),
      minor: true,
    },
    numberColumn(page, "drugs", words.drugs, (at) => classes.drugs[at]!),
    numberColumn(page, "mentions", words.mentions, (at) => classes.mentions[at]!),
    numberColumn(page, "journals", words.journals, (at) => classes.journals[at]!),
  ];
  return (
    <AddressedList
      label={words.classes}
      file="classes"
      kind="class"
      rows={rows}
      columns={columns}
      count={words.countClasses}
      sort="code"
    />
  );
}
