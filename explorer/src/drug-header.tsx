// Who the drug is, and the answer in one sentence: which journals, since when.
import { useMemo, useState } from "preact/hooks";
import { drugCodes, drugId, drugNames } from "./data.ts";
import { useDrugWords } from "./drug-words.ts";
import { usePage } from "./page.ts";
import { Crumbs } from "./parts.tsx";
import { sharedNames } from "./sharing.ts";

/** More names are shown when they are asked for: a drug can have hundreds. */
const NAMES_SHOWN = 12;
const NAMES_OF_OTHERS_SHOWN = 4;
const DRUGS_SHOWN = 8;

export function DrugHeader({ drug }: { drug: number }) {
  const { index, names, to, words } = usePage();
  const [name = "", ...otherNames] = drugNames(index, names, drug);
  return (
    <>
      <Crumbs links={[{ href: to({}), text: words.drugs }]} />
      <h1>{name}</h1>
      <OtherNames names={otherNames} codes={names ? drugCodes(index, names, drug) : []} />
      <OfOthers drug={drug} />
      {drug < index.mentioned && <SinceWhen drug={drug} />}
    </>
  );
}

function OtherNames({ names, codes }: { names: string[]; codes: string[] }) {
  const words = useDrugWords();
  const [showsAll, setShowsAll] = useState(false);
  const shown = showsAll ? names : names.slice(0, NAMES_SHOWN);
  return (
    <div class="names">
      {shown.length > 0 && <span class="dim">{words.alsoFoundAs}</span>}
      {shown.map((name) => (
        <span class="chip">{name}</span>
      ))}
      {names.length > NAMES_SHOWN && (
        <button class="act" aria-expanded={showsAll} onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? words.less : words.allNames(names.length)}
        </button>
      )}
      {codes.map((code) => (
        <Code code={code} />
      ))}
    </div>
  );
}

/** Names that other drugs have, too: an address or a search by one may have meant these. */
function OfOthers({ drug }: { drug: number }) {
  const { entries, index, names, route, to } = usePage();
  const words = useDrugWords();
  const asked = route.drug ?? "";
  const shared = useMemo(() => sharedNames(entries, drug, asked), [entries, drug, asked]);
  const left = shared.length - NAMES_OF_OTHERS_SHOWN;
  return (
    <>
      {shared.slice(0, NAMES_OF_OTHERS_SHOWN).map(({ label, isCode, drugs }) => (
        <p class="dim" data-shared={label}>
          {isCode ? words.alsoCodeOf(label) : words.alsoNameOf(label)}{" "}
          {drugs.slice(0, DRUGS_SHOWN).map((other, at) => (
            <>
              {at > 0 && ", "}
              <a href={to({ drug: drugId(index, names, other) })}>
                {drugNames(index, names, other)[0]}
              </a>
            </>
          ))}
          {drugs.length > DRUGS_SHOWN && ", …"}
        </p>
      ))}
      {left > 0 && <p class="dim">{words.furtherNames(left)}</p>}
    </>
  );
}

function Code({ code }: { code: string }) {
  const { index, to } = usePage();
  const words = useDrugWords();
  const at = index.classOfCode.get(code);
  if (at === undefined) return <span class="chip">{code}</span>; // of another system
  return (
    <a class="chip" href={to({ class: code })} title={index.classes.name[at] ?? undefined}>
      {words.atc(code)}
    </a>
  );
}

function SinceWhen({ drug }: { drug: number }) {
  const { index, change } = usePage();
  const words = useDrugWords();
  const { drugs, types } = index;
  const count = (trial: boolean) =>
    types.reduce((sum, type, at) => sum + (type.trial === trial ? drugs.by[at]![drug]! : 0), 0);
  const said = {
    journals: drugs.journals[drug]!,
    articles: count(false),
    trials: count(true),
    first: drugs.first[drug]!,
    last: drugs.last[drug]!,
  };
  const retracted = drugs.retracted[drug]!;
  const fresh = drugs.fresh[drug]!;
  return (
    <>
      <p class="lead">
        <b>{words.whoMentions(said.journals)}</b>
        {words.sinceWhen(said)}
      </p>
      {(retracted > 0 || fresh > 0) && (
        <p class="aside">
          {fresh > 0 && <a href={change({ new: true })}>{words.freshOf(fresh)}</a>}
          {retracted > 0 && (
            <a href={change({ retracted: true })}>{words.retractedOf(retracted)}</a>
          )}
        </p>
      )}
    </>
  );
}
