// Buttons that save a table, and what they say of it.
import { useState } from "preact/hooks";
import { usePage } from "./page.ts";
import type { Sheet } from "./sheet.ts";
import { type Kind, save } from "./spreadsheet.ts";
import { wordsDrug } from "./words-drug.ts";

/** `name`: of the file; `sheet` is asked when a button is pressed. */
export function SaveButtons({ name, sheet }: { name: string; sheet: () => Sheet }) {
  const { route, words } = usePage();
  const { save: said } = wordsDrug[route.lang];
  const [message, setMessage] = useState("");
  const saveAs = async (kind: Kind) => {
    setMessage(said.saving);
    try {
      const { file, cut } = await save(kind, name, sheet(), route.lang);
      setMessage(cut > 0 ? `${said.saved(file)} ${said.cut(cut)}` : said.saved(file));
    } catch (error) {
      setMessage(`${said.failed} ${String(error)}`);
    }
  };
  return (
    <span class="save">
      <span role="status" class="dim">
        {message}
      </span>
      <button class="act" onClick={() => saveAs("xlsx")}>
        {words.saveXlsx}
      </button>
      <button class="act" onClick={() => saveAs("csv")}>
        {words.saveCsv}
      </button>
    </span>
  );
}
