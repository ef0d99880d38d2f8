// Tables as XLSX: texts are texts whatever they begin with, dates are dates.
import { type DateCode, dayOf, precisionOf, writeDate } from "./dates.ts";
import { type Cell, isDateCell, type Sheet } from "./sheet.ts";
import type { Lang } from "./words.ts";
import { DATE_STYLES, describe, HEAD_STYLE, MAIN, sheetPath } from "./xlsx-parts.ts";
import { DECLARATION, element, escapeXml } from "./xml.ts";
import { Zip } from "./zip.ts";

/** What a cell holds, in UTF-16 units: spreadsheets refuse files with longer texts. */
export const LONGEST_TEXT = 32_767;
/** What a sheet holds, with the head. */
const MOST_ROWS = 1_048_576;
/** 1970-01-01 in a spreadsheet's days, and 1900-03-01, before which they are counted wrongly. */
const EPOCH = 25_569;
const FIRST_RIGHT_DAY = 61;

/** A file, and how many texts were longer than a cell holds. */
export interface Workbook {
  file: Blob;
  cut: number;
}

/** What is counted of a file, and its language. */
interface Counted {
  cut: number;
  readonly lang: Lang;
}

/** Rows that one sheet does not hold go to further sheets, each with the head. */
export async function writeXlsx(sheet: Sheet, lang: Lang, mostRows = MOST_ROWS): Promise<Workbook> {
  const zip = new Zip();
  const names: string[] = [];
  const counted: Counted = { cut: 0, lang };
  const parts = inParts(sheet.rows, mostRows - 1);
  let next = await parts.next();
  do {
    names.push(names.length === 0 ? sheet.name : `${sheet.name} ${names.length + 1}`);
    const oneSheet = async function* () {
      yield startOf(sheet, counted);
      while (!next.done) {
        const { rows, isLast } = next.value;
        yield rows.map((row) => writeRow(row, counted)).join("");
        next = await parts.next();
        if (isLast) break;
      }
      yield END;
    };
    await zip.add(`xl/${sheetPath(names.length)}`, oneSheet());
  } while (!next.done);
  for (const [path, text] of describe(names, lang)) await zip.add(path, [text]);
  return { file: zip.finish(), cut: counted.cut };
}

interface Part {
  rows: readonly (readonly Cell[])[];
  /** Of its sheet. */
  isLast: boolean;
}

/** Cuts the rows where a sheet is full. */
async function* inParts(batches: Sheet["rows"], most: number): AsyncGenerator<Part> {
  let room = most;
  for await (let rows of batches) {
    while (rows.length > 0) {
      const part = rows.slice(0, room);
      rows = rows.slice(room);
      room -= part.length;
      yield { rows: part, isLast: room === 0 };
      if (room === 0) room = most;
    }
  }
}

/** A sheet up to its rows: the head stays in view. */
function startOf({ head, widths = [] }: Sheet, counted: Counted): string {
  const pane = { ySplit: 1, topLeftCell: "A2", activePane: "bottomLeft", state: "frozen" };
  const view = element("sheetView", { workbookViewId: 0 }, element("pane", pane));
  const columns = widths.map((width, at) =>
    element("col", { min: at + 1, max: at + 1, width, customWidth: 1 }),
  );
  return (
    DECLARATION +
    `<worksheet xmlns="${MAIN.xmlns}">` +
    element("sheetViews", {}, view) +
    (columns.length > 0 ? element("cols", {}, ...columns) : "") +
    "<sheetData>" +
    writeRow(head, counted, HEAD_STYLE)
  );
}

const END = "</sheetData></worksheet>";

function writeRow(cells: readonly Cell[], counted: Counted, style?: number): string {
  return `<row>${cells.map((cell) => writeCell(cell, counted, style)).join("")}</row>`;
}

function writeCell(cell: Cell, counted: Counted, style = 0): string {
  if (cell === null) return "<c/>";
  if (typeof cell === "number") return `<c><v>${cell}</v></c>`;
  if (isDateCell(cell)) return writeDateCell(cell.date, counted);
  let text = cell;
  if (text.length > LONGEST_TEXT) {
    text = cutText(text);
    counted.cut++;
  }
  const written = `<t xml:space="preserve">${escapeXml(text)}</t>`;
  return `<c t="inlineStr" s="${style}"><is>${written}</is></c>`;
}

function writeDateCell(code: DateCode, counted: Counted): string {
  const day = dayOf(code) + EPOCH;
  if (day < FIRST_RIGHT_DAY) return writeCell(writeDate(code, counted.lang), counted);
  return `<c s="${DATE_STYLES[precisionOf(code)]}"><v>${day}</v></c>`;
}

/** A text that a cell holds. No character is cut in two. */
function cutText(text: string): string {
  const end = LONGEST_TEXT - 1;
  const isInside = text.codePointAt(end - 1)! > 0xffff;
  return `${text.slice(0, isInside ? end - 1 : end)}…`;
}
