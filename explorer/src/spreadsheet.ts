// Saves a table as a file that spreadsheets open. All its rows are saved, however many are shown.
import { writeCsv } from "./csv.ts";
import { fold } from "./fold.ts";
import type { Sheet } from "./sheet.ts";
import type { Lang } from "./words.ts";
import { writeXlsx } from "./xlsx.ts";

export type Kind = "xlsx" | "csv";

export interface Saved {
  file: string;
  /** Texts that were longer than a cell holds. */
  cut: number;
}

/** How long the browser may take to read the file before it is let go, in milliseconds. */
const KEPT_FOR = 60_000;

export async function save(kind: Kind, name: string, sheet: Sheet, lang: Lang): Promise<Saved> {
  const file = `${fileName(name)}.${kind}`;
  if (kind === "xlsx") {
    const { file: content, cut } = await writeXlsx(sheet, lang);
    offer(file, content);
    return { file, cut };
  }
  const parts: string[] = [];
  for await (const part of writeCsv(sheet, lang)) parts.push(part);
  offer(file, new Blob(parts, { type: "text/csv;charset=utf-8" }));
  return { file, cut: 0 };
}

/** A name that every system takes. */
export function fileName(name: string): string {
  const plain = fold(name)
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "");
  return plain.slice(0, 80) || "table";
}

function offer(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_FOR);
}
