// Related drugs: those that articles of the same journals mention, with the journals between them.
import { useEffect, useMemo, useState } from "preact/hooks";
import { Choice } from "./choice.tsx";
import { showNumber } from "./dates.ts";
import { useDrugWords } from "./drug-words.ts";
import { usePage } from "./page.ts";
import { Waiting } from "./parts.tsx";
import { relatedSheet } from "./related-sheet.ts";
import { Related } from "./related-drug.tsx";
import { linksOf, type Order, type Relation, type Relations } from "./relating.ts";
import { go, type Route } from "./route.ts";
import { SaveButtons } from "./save-buttons.tsx";

const FIRST_SHOWN = 24;
const MORE = 100;
/** Longer lists are found when they are opened. */
const LINKED_AT_ONCE = 20;

interface RelatedProps {
  drug: number;
  /** Null while they are counted. */
  relations: Relations | null;
  /** The related drugs in the order that was asked for. */
  ranks: readonly Relation[];
  error: Error | null;
}

export function orderOf({ sort }: Route): Order {
  return sort === "name" || sort === "lift" ? sort : "journals";
}

export function RelatedDrugs({ drug, relations, ranks, error }: RelatedProps) {
  const { index, route } = usePage();
  const words = useDrugWords().related;
  const order = orderOf(route);
  useEffect(() => {
    if (relations) performance.mark("related");
  }, [relations]);
  return (
    <section id="related" class="listed" aria-labelledby="related-heading">
      <div class="bar">
        <div class="heading">
          <h2 id="related-heading">{words.heading}</h2>
          <span role="status" class="dim">
            {relations ? showNumber(ranks.length, route.lang) : words.reading}
          </span>
        </div>
        {relations && ranks.length > 0 && (
          <SaveButtons
            name={`${index.drugs.name[drug]} ${words.heading}`}
            sheet={() => relatedSheet(index, relations, ranks, route.lang)}
          />
        )}
      </div>
      <div class="bar filters">
        <Choice<Order>
          label={words.order}
          chosen={order}
          options={[
            { value: "journals", label: words.byJournals },
            { value: "name", label: words.byName },
            { value: "lift", label: words.byLift },
          ]}
          choose={(by) => go({ ...route, sort: by === "journals" ? undefined : by })}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={route.reading === "no-trials"}
            onChange={({ currentTarget }) =>
              go({ ...route, reading: currentTarget.checked ? "no-trials" : undefined })
            }
          />
          {words.withoutTrials}
        </label>
      </div>
      <p class="dim">
        {words.why} {order === "lift" && words.liftWhy}
      </p>
      {relations ? (
        <List relations={relations} ranks={ranks} />
      ) : (
        error && <Waiting error={error} />
      )}
    </section>
  );
}

function List({ relations, ranks }: { relations: Relations; ranks: readonly Relation[] }) {
  const { index } = usePage();
  const words = useDrugWords().related;
  const [most, setMost] = useState(FIRST_SHOWN);
  const shown = useMemo(() => ranks.slice(0, most), [ranks, most]);
  const links = useMemo(() => {
    const few = shown.filter(({ shared }) => shared <= LINKED_AT_ONCE);
    return linksOf(
      index,
      relations.pairs,
      few.map(({ drug }) => drug),
    );
  }, [index, relations, shown]);
  const left = ranks.length - shown.length;
  if (ranks.length === 0) return <p>{words.none}</p>;
  return (
    <>
      <ul class="related">
        {shown.map((relation) => (
          <Related
            key={relation.drug}
            relation={relation}
            relations={relations}
            links={links.get(relation.drug)}
          />
        ))}
      </ul>
      {left > 0 && (
        <button class="act more" onClick={() => setMost(most + MORE)}>
          {words.more(Math.min(left, MORE))}
        </button>
      )}
    </>
  );
}
