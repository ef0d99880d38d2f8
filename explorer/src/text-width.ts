// How much of a text fits into a box of a picture: the browser measures it in the page's own font.

let pen: CanvasRenderingContext2D | null | undefined;

/** The text, or its start and an ellipsis, at most so wide. `font`: as in CSS, no family. */
export function fitted(text: string, width: number, font: string): string {
  pen ??= document.createElement("canvas").getContext("2d");
  if (!pen) return text;
  pen.font = `${font} ${getComputedStyle(document.body).fontFamily}`;
  if (pen.measureText(text).width <= width) return text;
  const characters = Array.from(text);
  let [fits, tooLong] = [0, characters.length];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    const cut = `${characters.slice(0, middle).join("")}…`;
    if (pen.measureText(cut).width <= width) fits = middle;
    else tooLong = middle;
  }
  return `${characters.slice(0, fits).join("").trimEnd()}…`;
}
