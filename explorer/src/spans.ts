// A title cut at the words that were found. Spans count characters (code points), as Python does;
// strings of JavaScript count UTF-16 units.

/** Start, end, and by what it was found, if not by a name. */
export type Span = readonly [start: number, end: number, by?: string];

export interface Piece {
  text: string;
  marked: boolean;
  /** By what it was found, if not by a name. */
  by?: string;
}

/** The pieces of a title, in order: together they are the title. Spans may touch or overlap. */
export function cutAtSpans(title: string, spans: readonly Span[]): Piece[] {
  const characters = Array.from(title);
  const pieces: Piece[] = [];
  let at = 0;
  const add = (end: number, marked: boolean, by?: string) => {
    const text = characters.slice(at, end).join("");
    if (text) pieces.push({ text, marked, ...(by !== undefined && { by }) });
    at = Math.max(at, end);
  };
  for (const [start, end, by] of [...spans].sort((a, b) => a[0] - b[0])) {
    add(start, false);
    add(end, true, by);
  }
  add(characters.length, false);
  return pieces;
}

/** The words that were found, each once, in their order. */
export function foundWords(title: string, spans: readonly Span[]): string[] {
  const characters = Array.from(title);
  return [...new Set(spans.map(([start, end]) => characters.slice(start, end).join("")))];
}
