import { usePage } from "./page.ts";
import { Main } from "./parts.tsx";

export function ClassPage({ at }: { at: number }) {
  const { index } = usePage();
  return (
    <Main>
      <h1>{index.classes.code[at]}</h1>
    </Main>
  );
}
