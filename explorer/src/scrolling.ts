// A page opens at its top, and Back opens the one before where it was left. Browsers try this too
// early, before the view is drawn.

/** What is noted with an entry of the history. */
interface Noted {
  scrolled: number;
}

/** How long a view may take to be as high as it was, in milliseconds. */
const PATIENCE = 2_000;
const SCROLLED_BY_HAND = ["wheel", "touchmove", "keydown", "pointerdown"] as const;

/** Where the entry of the history was left that was opened last. */
let wanted = 0;
let isRestoring = false;

/** Notes with each entry of the history how far it is scrolled. */
export function keepScrollPosition(): void {
  history.scrollRestoration = "manual";
  const enter = (noted: Noted | null) => {
    wanted = noted?.scrolled ?? 0;
    isRestoring = true; // a view that is not whole yet is less high, which scrolls, too
  };
  enter(history.state as Noted | null);
  addEventListener("popstate", (event) => enter(event.state as Noted | null));
  document.addEventListener("scrollend", () => {
    if (!isRestoring) history.replaceState({ scrolled: scrollY } satisfies Noted, "");
  });
}

/** The view has changed, but the page is still the same: nothing is scrolled. */
export function keepScrolled(): void {
  isRestoring = false;
}

/** Scrolls to where this entry of the history was left; to its top, if it is new. */
export function restoreScrollPosition(): void {
  const isThere = () => {
    scrollTo(0, wanted);
    return Math.abs(scrollY - wanted) < 2; // positions are rounded
  };
  // The rest of the view may still be on its way: it grows.
  const growth = new ResizeObserver(() => {
    if (isThere()) stop();
  });
  const patience = setTimeout(stop, PATIENCE);
  function stop(): void {
    isRestoring = false;
    growth.disconnect();
    clearTimeout(patience);
    for (const event of SCROLLED_BY_HAND) removeEventListener(event, stop);
  }
  for (const event of SCROLLED_BY_HAND) addEventListener(event, stop);
  if (isThere()) stop();
  else growth.observe(document.body);
}
