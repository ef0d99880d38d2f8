import { usePage } from "./page.ts";
import { Main } from "./parts.tsx";

export function JournalPage({ journal }: { journal: number }) {
  const { index } = usePage();
  return (
    <Main>
      <h1>{index.journals.name[journal]}</h1>
    </Main>
  );
}
