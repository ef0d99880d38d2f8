// The search field of every page, and its results.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { showNumber } from "./dates.ts";
import { foundBy, hitMentions, hitName, hitPage } from "./hits.ts";
import { usePage } from "./page.ts";
import { type Found, type Hit, search } from "./search.ts";

/** Whether a key belongs to a field that is being filled in. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches("input, textarea, select");
}

/** Whether the field has no room for the long text in it. */
function isNarrow(): boolean {
  return matchMedia("(max-width: 560px)").matches;
}

interface ResultsProps {
  text: string;
  found: Found;
  chosen: number;
  choose: (at: number) => void;
  open: (hit: Hit) => void;
}

function Results({ text, found, chosen, choose, open }: ResultsProps) {
  const page = usePage();
  const { words, route } = page;
  const left = found.total - found.hits.length;
  return (
    <div id="results">
      {found.close && found.total > 0 && <p class="note">{words.close}</p>}
      {found.total === 0 && <p class="note">{words.nothing(text)}</p>}
      <ul id="hits" role="listbox" aria-label={words.results}>
        {found.hits.map((hit, at) => (
          <li
            key={`${hit.kind}${hit.at}`}
            id={`hit${at}`}
            role="option"
            aria-selected={at === chosen}
            onMouseEnter={() => choose(at)}
            onMouseDown={(event) => {
              event.preventDefault(); // the field keeps the focus
              open(hit);
            }}
          >
            <span class={`tag ${hit.kind}`}>{words.kind[hit.kind]}</span>
            <span class="hit">
              {hitName(page, hit)}
              {foundBy(page, hit) !== null && <i> = {foundBy(page, hit)}</i>}
            </span>
            <span class="count">{showNumber(hitMentions(page, hit), route.lang)}</span>
          </li>
        ))}
      </ul>
      {left > 0 && <p class="note">{words.moreFound(left)}</p>}
    </div>
  );
}

export function SearchBox() {
  const page = usePage();
  const { index, entries, words } = page;
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  const [opened, setOpened] = useState(false);
  const [chosen, setChosen] = useState(0);
  const found = useMemo(() => search(index, entries, text), [index, entries, text]);
  const shown = opened && text.trim() !== "";

  useEffect(() => {
    const focusOnSlash = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || isTyping(event.target)) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener("keydown", focusOnSlash);
    return () => removeEventListener("keydown", focusOnSlash);
  }, []);

  const open = (hit: Hit) => {
    location.hash = page.to(hitPage(page, hit));
    setText("");
    setOpened(false);
    field.current?.blur();
  };
  const onKey = (event: KeyboardEvent) => {
    const hit = found.hits[chosen];
    if (event.key === "Escape") setOpened(false);
    else if (event.key === "Enter" && shown && hit) open(hit);
    else if (event.key === "ArrowDown") setChosen(Math.min(chosen + 1, found.hits.length - 1));
    else if (event.key === "ArrowUp") setChosen(Math.max(chosen - 1, 0));
    else return;
    event.preventDefault();
  };
  return (
    <div class="search" role="search">
      <label class="sr" for="search">
        {words.search}
      </label>
      <input
        id="search"
        ref={field}
        type="search"
        role="combobox"
        list={undefined}
        autocomplete="off"
        spellcheck={false}
        placeholder={isNarrow() ? words.searchShort : words.search}
        aria-expanded={shown}
        aria-controls="hits"
        aria-autocomplete="list"
        aria-activedescendant={shown && found.hits.length > 0 ? `hit${chosen}` : undefined}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setOpened(true);
          setChosen(0);
        }}
        onFocus={() => setOpened(true)}
        onBlur={() => setOpened(false)}
        onKeyDown={onKey}
      />
      <kbd aria-hidden="true">/</kbd>
      {shown && (
        <Results text={text} found={found} chosen={chosen} choose={setChosen} open={open} />
      )}
      <span class="sr" role="status">
        {shown ? words.found(found.total) : ""}
      </span>
    </div>
  );
}
