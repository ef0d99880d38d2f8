// A page opens at its top, and Back opens the one before where it was left. Browsers try this too
// early, before the view is drawn.

/** Notes with each entry of the history how far it is scrolled. */
export function keepScrollPosition(): void {
  history.scrollRestoration = "manual";
  document.addEventListener("scrollend", () => {
    history.replaceState({ scrolled: scrollY }, "");
  });
}

export function restoreScrollPosition(): void {
  const state = history.state as { scrolled?: number } | null;
  scrollTo(0, state?.scrolled ?? 0);
}
