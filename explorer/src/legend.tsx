// What the marks of the lanes mean, and the order of the lanes.
import { useDrugWords } from "./drug-words.ts";
import { fullest, type Lane, type Mark } from "./marks.ts";
import { MarkShape } from "./lane.tsx";
import { Choice } from "./choice.tsx";
import { usePage } from "./page.ts";
import { go } from "./route.ts";

const PLAIN: Mark = {
  date: 0,
  at: 0.5,
  trial: false,
  vague: false,
  fresh: false,
  retracted: false,
  isOn: true,
};

/** Only what occurs is explained. */
export function Legend({ lanes }: { lanes: readonly Lane[] }) {
  const { route } = usePage();
  const { lanes: words, articlesHead, trialsHead } = useDrugWords();
  const marks = lanes.flatMap((lane) => lane.marks);
  const cells = fullest(lanes);
  const has = (key: "vague" | "fresh" | "retracted") => marks.some((mark) => mark[key]);
  return (
    <div class="legend">
      <Key mark={PLAIN} label={articlesHead} />
      <Key mark={{ ...PLAIN, trial: true }} label={trialsHead} />
      {has("vague") && <Key mark={{ ...PLAIN, vague: true }} label={words.vague} />}
      {has("fresh") && <Key mark={{ ...PLAIN, fresh: true }} label={words.fresh} />}
      {has("retracted") && <Key mark={{ ...PLAIN, retracted: true }} label={words.retracted} />}
      {cells > 0 && (
        <span class="key">
          <span class="scale" aria-hidden="true" />
          {words.cells(cells)}
        </span>
      )}
      <Choice
        label={words.order}
        chosen={route.order === "first" ? "first" : undefined}
        options={[
          { value: undefined, label: words.byMentions },
          { value: "first", label: words.byFirst },
        ]}
        choose={(order) => go({ ...route, order })}
      />
    </div>
  );
}

function Key({ mark, label }: { mark: Mark; label: string }) {
  return (
    <span class="key">
      <svg width="18" height="18" aria-hidden="true">
        <MarkShape mark={mark} y={9} />
      </svg>
      {label}
    </span>
  );
}
