// Small parts that several pages share.
import type { ComponentChildren } from "preact";
import { type Index, UnreadableBlock } from "./data.ts";
import { showMonth } from "./dates.ts";
import type { DateCode } from "./dates.ts";
import { usePage } from "./page.ts";

/** The main part of a page: the skip link and each new page put the focus on it. */
export function Main({ children }: { children: ComponentChildren }) {
  return (
    <main id="main" tabIndex={-1}>
      {children}
    </main>
  );
}

/** What is said while something is read, and if it cannot be. */
export function Waiting({ error }: { error: Error | null }) {
  const { words } = usePage();
  if (!error) return <p class="dim">{words.reading}</p>;
  // Any other error is a fault of the page: it is shown as it is.
  const message =
    error instanceof UnreadableBlock ? words.unreadable(error.message) : String(error);
  return (
    <p class="error" role="alert">
      {message}
    </p>
  );
}

/** Month and year of a date, as far as they are known. */
export function Month({ date }: { date: DateCode | null }) {
  const { route, words } = usePage();
  if (date === null) return <span class="dim">{words.noDate}</span>;
  return <>{showMonth(date, route.lang)}</>;
}

/** Links to the pages above this one. */
export function Crumbs({ links }: { links: { href: string; text: string }[] }) {
  return (
    <p class="crumbs">
      {links.map(({ href, text }) => (
        <>
          <a href={href}>{text}</a> <span aria-hidden="true">›</span>{" "}
        </>
      ))}
    </p>
  );
}

/** The colour of a type of publications; further types of a kind are paler. */
export function typeColour(index: Index, type: number): { class: string; opacity: number } {
  const { trial } = index.types[type]!;
  const before = index.types.slice(0, type).filter((other) => other.trial === trial).length;
  return { class: trial ? "trial" : "article", opacity: 1 / (1 + before) };
}

/** Bars of the mentions by type, as a share of the greatest number; the numbers stand beside it. */
export function TypeBars({ counts, most }: { counts: number[]; most: number }) {
  const { index } = usePage();
  return (
    <span class="bars" aria-hidden="true">
      {counts.map((count, type) => {
        const { class: kind, opacity } = typeColour(index, type);
        const width = `${(100 * count) / Math.max(most, 1)}%`;
        return <span key={type} class={kind} style={{ width, opacity }} />;
      })}
    </span>
  );
}

interface CountsProps {
  retracted?: number | undefined;
  ambiguous?: number | undefined;
  fresh?: number | undefined;
}

/** Of the mentions of something: how many are retracted, ambiguous, new; nothing if none is. */
export function Counts({ retracted = 0, ambiguous = 0, fresh = 0 }: CountsProps) {
  const { words } = usePage();
  const badges = [
    { kind: "retracted", count: retracted, said: words.countRetracted },
    { kind: "ambiguous", count: ambiguous, said: words.countAmbiguous },
    { kind: "fresh", count: fresh, said: words.countNew },
  ].filter(({ count }) => count > 0);
  if (badges.length === 0) return null;
  return (
    <span class="badges">
      {badges.map(({ kind, count, said }) => (
        <span key={kind} class={`badge ${kind}`}>
          {said(count)}
        </span>
      ))}
    </span>
  );
}
