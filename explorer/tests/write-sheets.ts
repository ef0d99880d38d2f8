// Writes XLSX files into a folder, for a test that opens them: `node tests/write-sheets.ts FOLDER`.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { atOnce, type Sheet } from "../src/sheet.ts";
import { writeXlsx } from "../src/xlsx.ts";
import { hostileSheet, LONG } from "./hostile.ts";

const folder = process.argv[2]!;
const long: Sheet = { name: "Long", head: ["Text"], rows: atOnce([[LONG], ["short"]]) };
const rows = Array.from({ length: 10 }, (_, row) => [row]);

for (const [name, sheet, most] of [
  ["hostile", hostileSheet(), 1_000],
  ["long", long, 1_000],
  ["many", { name: "Many", head: ["Number"], rows: atOnce(rows) }, 5],
  ["full", { name: "Full", head: ["Number"], rows: atOnce(rows.slice(0, 4)) }, 5],
  ["empty", { name: "Empty", head: ["Number"], rows: atOnce([]) }, 5],
] as const) {
  const { file, cut } = await writeXlsx(sheet, "en", most);
  await writeFile(join(folder, `${name}.xlsx`), new Uint8Array(await file.arrayBuffer()));
  console.log(name, cut);
}
