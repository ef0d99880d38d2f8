// How much two names differ.

/** Which letters and digits a folded text has, as bits; all others count as one. */
export function lettersOf(text: string): number {
  let letters = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isLetter = code >= 97 && code <= 122; // a to z
    letters |= isLetter ? 1 << (code - 97) : 1 << 26;
  }
  return letters;
}

/** Whether texts with these letters surely differ by more steps: a step changes two bits at most. */
export function differByMore(letters: number, others: number, most: number): boolean {
  let bits = letters ^ others;
  let count = 0;
  while (bits !== 0) {
    bits &= bits - 1;
    if (++count > 2 * most) return true;
  }
  return false;
}

/**
 * How many letters must be changed, added, dropped or swapped with their neighbour to make one text
 * of the other; any number above `most` if more than `most`.
 */
export function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let above: number[] = [];
  let before = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    let least = row;
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let steps = Math.min(
        before[column]! + 1,
        current[column - 1]! + 1,
        before[column - 1]! + (same ? 0 : 1),
      );
      const swapped =
        row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) steps = Math.min(steps, above[column - 2]! + 1);
      current.push(steps);
      if (steps < least) least = steps;
    }
    if (least > most) return most + 1;
    above = before;
    before = current;
  }
  return before[b.length]!;
}
