// The page of a class of drugs: its drugs, the journals that mention them, the classes around it.
import { useMemo } from "preact/hooks";
import { ClassDrugs, ClassJournals } from "./class-lists.tsx";
import { className, classesAround, drugsOfClass } from "./classes.ts";
import { showMonth } from "./dates.ts";
import { usePage } from "./page.ts";
import { Crumbs, Main, Waiting } from "./parts.tsx";
import { earliest, latest } from "./summary.tsx";

export function ClassPage({ at }: { at: number }) {
  const { index, names, error, words, to } = usePage();
  const { code } = index.classes;
  const name = className(index, names, at);
  const { above, below } = useMemo(() => classesAround(index, at), [index, at]);
  const drugs = useMemo(() => names && drugsOfClass(index, names, at), [index, names, at]);
  return (
    <Main>
      <Crumbs
        links={[
          { href: to({}), text: words.home },
          { href: to({ list: "classes" }), text: words.classes },
          ...above.map((other) => ({ href: to({ class: code[other] }), text: code[other]! })),
        ]}
      />
      <h1>
        {name ? (
          <>
            <span class="code">{code[at]}</span> {name}
          </>
        ) : (
          `${words.class} ${code[at]}`
        )}
      </h1>
      <Lead at={at} drugs={drugs ?? []} />
      {below.length > 0 && <Below classes={below} />}
      {drugs ? (
        <>
          <section>
            <h2>{words.drugsOfClass}</h2>
            <ClassDrugs drugs={drugs} file={code[at]!} />
          </section>
          <ClassJournals drugs={drugs} file={code[at]!} />
        </>
      ) : (
        <Waiting error={error} />
      )}
    </Main>
  );
}

function Lead({ at, drugs }: { at: number; drugs: number[] }) {
  const { index, route, words } = usePage();
  const { classes } = index;
  const first = earliest(drugs.map((drug) => index.drugs.first[drug] ?? null));
  const last = latest(drugs.map((drug) => index.drugs.last[drug] ?? null));
  if (classes.mentions[at] === 0) return <p class="lead">{words.noneMentioned}</p>;
  return (
    <p class="lead">
      <b>{words.theyMention(classes.journals[at]!, classes.drugs[at]!)}</b>
      {first !== null && ` ${words.sinceWhen(showMonth(first, route.lang))}`}
      {words.colon}
      {words.countMentions(classes.mentions[at]!)}.
      {last !== null && ` ${words.latestIs(showMonth(last, route.lang))}`}
    </p>
  );
}

function Below({ classes }: { classes: number[] }) {
  const { index, names, words, to } = usePage();
  const { code, drugs, mentions } = index.classes;
  return (
    <section>
      <h2>{words.classesBelow}</h2>
      <ul class="plain classes">
        {classes.map((at) => (
          <li key={at}>
            <a href={to({ class: code[at] })}>
              <span class="code">{code[at]}</span> {className(index, names, at)}
            </a>{" "}
            <span class="dim">
              {words.countDrugs(drugs[at]!)}, {words.countMentions(mentions[at]!)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
