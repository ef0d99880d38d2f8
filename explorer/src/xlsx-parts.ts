// The parts of an XLSX file that are not rows: which sheets it has, and how cells look.
import { dateFormat, type Precision, PRECISIONS } from "./dates.ts";
import type { Lang } from "./words.ts";
import { DECLARATION, element } from "./xml.ts";

const SCHEMAS = "http://schemas.openxmlformats.org/";
const RELATIONS = `${SCHEMAS}officeDocument/2006/relationships`;
const CONTENT = "application/vnd.openxmlformats-";
export const MAIN = { xmlns: `${SCHEMAS}spreadsheetml/2006/main` };

/** Styles of cells, by their place in `stylesPart`: a date shows as much as is known. */
export const HEAD_STYLE = 1;
export const DATE_STYLES: Record<Precision, number> = { day: 2, month: 3, season: 4, year: 5 };
/** Numbers below this one are those of built-in formats. */
const FIRST_FORMAT = 164;

/** The path of a sheet's part; sheets are numbered from 1. */
export const sheetPath = (number: number) => `worksheets/sheet${number}.xml`;

/** Paths and texts of these parts. */
export function describe(
  sheetNames: readonly string[],
  lang: Lang,
): [path: string, text: string][] {
  const sheets = sheetNames.map((_, at) => sheetPath(at + 1));
  const parts: [path: string, xml: string][] = [
    ["xl/workbook.xml", workbookPart(sheetNames)],
    ["xl/_rels/workbook.xml.rels", relationsPart([...sheets, "styles.xml"])],
    ["xl/styles.xml", stylesPart(lang)],
    ["_rels/.rels", relationsPart(["xl/workbook.xml"])],
    ["[Content_Types].xml", typesPart(["workbook.xml", "styles.xml", ...sheets])],
  ];
  return parts.map(([path, xml]) => [path, DECLARATION + xml]);
}

function workbookPart(names: readonly string[]): string {
  const sheets = names.map((name, at) =>
    element("sheet", { name, sheetId: at + 1, "r:id": `r${at + 1}` }),
  );
  const attributes = { ...MAIN, "xmlns:r": RELATIONS };
  return element("workbook", attributes, element("sheets", {}, ...sheets));
}

function relationsPart(targets: readonly string[]): string {
  const typeOf = (target: string) =>
    target.endsWith("workbook.xml") ? "officeDocument" : kindOf(target);
  const relations = targets.map((target, at) =>
    element("Relationship", {
      Id: `r${at + 1}`,
      Type: `${RELATIONS}/${typeOf(target)}`,
      Target: target,
    }),
  );
  const attributes = { xmlns: `${SCHEMAS}package/2006/relationships` };
  return element("Relationships", attributes, ...relations);
}

function typesPart(paths: readonly string[]): string {
  const kinds = paths.map((path) => {
    const kind = path === "workbook.xml" ? "sheet.main" : kindOf(path);
    const type = `${CONTENT}officedocument.spreadsheetml.${kind}+xml`;
    return element("Override", { PartName: `/xl/${path}`, ContentType: type });
  });
  const relations = { Extension: "rels", ContentType: `${CONTENT}package.relationships+xml` };
  const attributes = { xmlns: `${SCHEMAS}package/2006/content-types` };
  return element("Types", attributes, element("Default", relations), ...kinds);
}

function kindOf(path: string): string {
  return path === "styles.xml" ? "styles" : "worksheet";
}

function stylesPart(lang: Lang): string {
  const formats = PRECISIONS.map((precision, at) =>
    element("numFmt", {
      numFmtId: FIRST_FORMAT + at,
      formatCode: dateFormat(precision, lang),
    }),
  );
  const dates = PRECISIONS.map((_, at) =>
    element("xf", { numFmtId: FIRST_FORMAT + at, applyNumberFormat: 1 }),
  );
  const fill = (pattern: string) =>
    element("fill", {}, element("patternFill", { patternType: pattern }));
  return element(
    "styleSheet",
    MAIN,
    list("numFmts", formats),
    list("fonts", [element("font"), element("font", {}, element("b"))]),
    list("fills", [fill("none"), fill("gray125")]),
    list("borders", [element("border")]),
    list("cellStyleXfs", [element("xf")]),
    list("cellXfs", [element("xf"), element("xf", { fontId: 1, applyFont: 1 }), ...dates]),
    list("cellStyles", [element("cellStyle", { name: "Normal", xfId: 0, builtinId: 0 })]),
  );
}

function list(name: string, items: readonly string[]): string {
  return element(name, { count: items.length }, ...items);
}
