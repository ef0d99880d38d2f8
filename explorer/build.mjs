// Makes the page's parts of the sources: `node build.mjs FOLDER` writes explorer.js, explorer.css and
// LICENSES.txt, the texts of the licences of every package that is in explorer.js. Same sources and
// same package-lock.json, same bytes.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2];
if (target === undefined) {
  console.error("usage: node build.mjs FOLDER");
  process.exit(2);
}

const made = await build({
  absWorkingDir: here,
  entryPoints: { explorer: "src/app.tsx" },
  outdir: "built",
  bundle: true,
  minify: true,
  format: "iife", // pages opened from disk run no modules
  target: ["es2022", "chrome123", "firefox120", "safari17.5"], // those that know light-dark()
  charset: "utf8",
  legalComments: "none", // LICENSES.txt has the whole texts
  metafile: true,
  write: false,
});

const packages = new Set();
for (const input of Object.keys(made.metafile.inputs)) {
  const inPackage = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (inPackage) packages.add(inPackage[1]);
}
const licences = await Promise.all(
  [...packages].sort().map(async (name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const text = await readFile(join(folder, "LICENSE"), "utf8");
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  }),
);

await mkdir(target, { recursive: true });
for (const { path, text } of made.outputFiles) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  // The page holds both files inline: neither may end the element that it is in, or hide its end.
  const end = name.endsWith(".js") ? /<\/script|<!--/i : /<\/style|<!--/i;
  if (end.test(text)) throw new Error(`${name} holds what HTML takes for the end of it`);
  await writeFile(join(target, name), text);
  console.log(`${name}: ${(Buffer.byteLength(text) / 1024).toFixed(1)} KB`);
}
await writeFile(join(target, "LICENSES.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));
