// The evidence: each mention with its title, and what filters it.
import { useEffect, useMemo, useState } from "preact/hooks";
import { type Facts, type Text, textsOf } from "./data.ts";
import { useDrugWords } from "./drug-words.ts";
import { EvidenceRow } from "./evidence-row.tsx";
import { EvidenceFilters } from "./evidence-filters.tsx";
import { mentionsSheet } from "./mentions-sheet.ts";
import type { Filter, Years } from "./mentions.ts";
import { usePage } from "./page.ts";
import { Waiting } from "./parts.tsx";
import { SaveButtons } from "./save-buttons.tsx";

const FIRST_SHOWN = 25;
const MORE = 100;

interface EvidenceProps {
  drug: number;
  facts: Facts;
  /** Null if nothing has a date. */
  years: Years | null;
  /** Those that pass the filter. */
  rows: readonly number[];
  filter: Filter;
  /** Called when the first rows can be seen. */
  onShown: () => void;
}

export function Evidence({ drug, facts, years, rows, filter, onShown }: EvidenceProps) {
  const { index, route } = usePage();
  const words = useDrugWords();
  const { shown, error, left, more } = useShownRows(drug, rows);
  const name = index.drugs.name[drug]!;
  useEffect(() => {
    if (!shown) return;
    performance.mark("evidence");
    onShown();
  }, [shown]);
  return (
    <section class="listed" aria-labelledby="evidence-heading">
      <div class="bar">
        <div class="heading">
          <h2 id="evidence-heading">{words.evidence.heading}</h2>
          <span role="status" class="dim">
            {words.evidence.shown(rows.length, facts.d.length)}
          </span>
        </div>
        <SaveButtons
          name={name}
          sheet={() => mentionsSheet({ index, drug, facts, rows, lang: route.lang })}
        />
      </div>
      <EvidenceFilters facts={facts} years={years} rows={rows} filter={filter} />
      {shown && (
        <ol class="evidence">
          {shown.map(({ row, text }) => (
            <EvidenceRow key={row} facts={facts} row={row} text={text} />
          ))}
        </ol>
      )}
      {(error || !shown) && <Waiting error={error} />}
      {rows.length === 0 && <p class="dim">{words.evidence.nothing}</p>}
      {left > 0 && (
        <button class="act more" onClick={more}>
          {words.evidence.more(Math.min(left, MORE))}
        </button>
      )}
    </section>
  );
}

interface Shown {
  row: number;
  text: Text;
}

/** The first rows with their texts; what was shown stays until they are read. */
function useShownRows(drug: number, rows: readonly number[]) {
  const { index } = usePage();
  const [shown, setShown] = useState<Shown[] | null>(null);
  const [error, setError] = useState<Error | null>(null);
  // With each filter the list begins again.
  const [asked, setAsked] = useState({ rows, most: FIRST_SHOWN });
  const most = asked.rows === rows ? asked.most : FIRST_SHOWN;
  const wanted = useMemo(() => rows.slice(0, most), [rows, most]);
  useEffect(() => {
    let isWanted = true;
    textsOf(index, drug, wanted).then(
      (texts) => {
        if (!isWanted) return;
        setShown(texts.map((text, at) => ({ row: wanted[at]!, text })));
        setError(null);
      },
      (failure: Error) => isWanted && setError(failure),
    );
    return () => {
      isWanted = false;
    };
  }, [index, drug, wanted]);
  return {
    shown,
    error,
    left: rows.length - wanted.length,
    more: () => setAsked({ rows, most: most + MORE }),
  };
}
