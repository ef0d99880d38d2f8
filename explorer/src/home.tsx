// The first page: what there is, what is new, the answers that are asked for most, and all lists.
import { Answers } from "./answers.tsx";
import { ClassList } from "./class-list.tsx";
import { DrugList } from "./drug-list.tsx";
import { JournalList } from "./journal-list.tsx";
import { NewsPanel } from "./news.tsx";
import { usePage } from "./page.ts";
import { Main } from "./parts.tsx";
import { QualityPanel } from "./quality.tsx";
import { Summary } from "./summary.tsx";

const LISTS = ["drugs", "journals", "classes"] as const;

export function HomePage() {
  const { index, route, words, change } = usePage();
  const list = LISTS.find((name) => name === route.list) ?? "drugs";
  const shown = LISTS.filter((name) => name !== "classes" || index.classes.code.length > 0);
  return (
    <Main>
      <h1>{words.title}</h1>
      <Summary />
      {!index.news && <NewsPanel />}
      <div class="cards">
        {index.news && <NewsPanel />}
        <Answers />
        <QualityPanel />
      </div>
      <section aria-label={words.lists}>
        <nav class="tabs" aria-label={words.lists}>
          {shown.map((name) => (
            <a
              key={name}
              href={change({
                list: name === "drugs" ? undefined : name,
                sort: undefined,
                q: undefined,
                new: undefined,
              })}
              aria-current={name === list ? "true" : undefined}
            >
              {words[name]}
            </a>
          ))}
        </nav>
        {list === "drugs" && <DrugList />}
        {list === "journals" && <JournalList />}
        {list === "classes" && <ClassList />}
      </section>
    </Main>
  );
}
