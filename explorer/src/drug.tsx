// The page of a drug.
import type { Index } from "./data.ts";
import type { Route } from "./route.ts";

export function DrugPage({ index, drug }: { index: Index; drug: number; route: Route }) {
  return (
    <main id="main" tabIndex={-1}>
      <h1>{index.drugs.name[drug]}</h1>
    </main>
  );
}
