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
