// Folds what comes in as lines of JSON, for a test that compares it with what the commands do.
import { fold, foldJournal, foldName } from "../src/fold.ts";

let given = "";
for await (const chunk of process.stdin.setEncoding("utf8")) given += chunk;
const folded = (JSON.parse(given) as string[]).map((text) => [
  fold(text),
  foldName(text),
  foldJournal(text),
]);
process.stdout.write(JSON.stringify(folded));
