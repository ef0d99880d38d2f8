// Where the blocks of the page come from: the page itself, or files beside it. A block is base64 of
// gzip of JSON, and is unpacked when it is first asked for.

declare global {
  interface Window {
    /** What the files beside the page call. */
    explorerShard?: (blocks: Record<string, string>) => void;
    trustedTypes?: {
      createPolicy(
        name: string,
        rules: { createScriptURL: (address: string) => string },
      ): { createScriptURL: (address: string) => string };
    };
  }
  interface Uint8ArrayConstructor {
    /** Newer browsers have it; it is much faster than a loop. */
    fromBase64?: (text: string) => Uint8Array<ArrayBuffer>;
  }
}

/** A block that could not be read; the message names the file that should hold it. */
export class UnreadableBlock extends Error {}

/** Where the blocks are: what the index says of it. */
export interface Container {
  where: Record<string, number> | null;
  folder: string;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

async function unpack<Block>(base64: string): Promise<Block> {
  const packed = new Blob([bytesOf(base64)]).stream();
  const json = new Response(packed.pipeThrough(new DecompressionStream("gzip"))).text();
  return JSON.parse(await json) as Block;
}

/** Resolves once the browser has read the whole page. */
function wholePage(): Promise<void> {
  if (document.readyState !== "loading") return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener("DOMContentLoaded", () => resolve(), { once: true });
  });
}

async function fromPage(name: string): Promise<string> {
  // The blocks follow the script, so the one that is asked for may still be on its way.
  if (!document.getElementById(name)) await wholePage();
  const text = document.getElementById(name)?.textContent;
  if (!text) throw new UnreadableBlock(name);
  return text;
}

const arrived = new Map<string, string>();
const askedFor = new Map<string, Promise<void>>();
type AddressPolicy = ReturnType<NonNullable<typeof window.trustedTypes>["createPolicy"]>;
let policy: AddressPolicy | undefined;

function load(file: string): Promise<void> {
  window.explorerShard ??= (blocks) => {
    for (const [name, block] of Object.entries(blocks)) arrived.set(name, block);
  };
  // The page's policy lets only this one rule make the address of a script.
  const rules = { createScriptURL: (address: string) => address };
  policy ??= window.trustedTypes?.createPolicy("shards", rules) ?? rules;
  const script = document.createElement("script");
  script.src = policy.createScriptURL(file);
  return new Promise((resolve, reject) => {
    script.onload = () => resolve();
    script.onerror = () => {
      askedFor.delete(file); // it may be there at the next try
      reject(new UnreadableBlock(file));
    };
    document.head.append(script);
  });
}

async function fromFile(name: string, file: string): Promise<string> {
  let loading = askedFor.get(file);
  if (!loading) askedFor.set(file, (loading = load(file)));
  await loading;
  const text = arrived.get(name);
  if (text === undefined) throw new UnreadableBlock(file);
  return text;
}

/** The index comes first: it is always in the page, before the script. */
export function readFirst<Block>(): Promise<Block> {
  return fromPage("index").then((text) => unpack<Block>(text));
}

const unpacked = new Map<string, Promise<unknown>>();
/** Enough for the heaviest drug's facts and for what is on screen. */
const KEPT = 200;

/**
 * The block of this name. The least recently used ones are forgotten.
 * @throws UnreadableBlock if the file that should hold it is missing.
 */
export function readBlock<Block>(container: Container, name: string): Promise<Block> {
  let block = unpacked.get(name) as Promise<Block> | undefined;
  unpacked.delete(name);
  if (!block) {
    const shard = container.where?.[name];
    const text =
      shard === undefined ? fromPage(name) : fromFile(name, `${container.folder}/s${shard}.js`);
    block = text.then((base64) => unpack<Block>(base64));
    block.catch(() => unpacked.delete(name));
    const [oldest] = unpacked.keys();
    if (unpacked.size >= KEPT && oldest !== undefined) unpacked.delete(oldest);
  }
  unpacked.set(name, block); // last, so that the first one is the one unused for longest
  return block;
}
