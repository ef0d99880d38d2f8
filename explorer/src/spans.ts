// A title cut at the words that were found. Spans count characters (code points), as Python does;
// strings of JavaScript count UTF-16 units.

/** Start, end, and by what it was found, if not by a name. */
export type Span = readonly [start: number, end: number, by?: string];

export type Piece = { readonly text: string; readonly marked: boolean };

/** The pieces of a title, in order: together they are the title. Spans may touch or overlap. */
export function cutAtSpans(title: string, spans: readonly Span[]): Piece[] {
  const characters = Array.from(title);
  const pieces: Piece[] = [];
  let at = 0;
  const add = (end: number, marked: boolean) => {
    if (end > at) pieces.push({ text: characters.slice(at, end).join(""), marked });
    at = Math.max(at, end);
  };
  for (const [start, end] of [...spans].sort((a, b) => a[0] - b[0])) {
    add(Math.min(start, characters.length), false);
    add(Math.min(end, characters.length), true);
  }
  add(characters.length, false);
  return pieces;
}

/** The words that were found, each once, in their order. */
export function foundWords(title: string, spans: readonly Span[]): string[] {
  const characters = Array.from(title);
  return [...new Set(spans.map(([start, end]) => characters.slice(start, end).join("")))];
}
