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
  interface ArrayBuffer {
    /** Newer browsers have this one, too. */
    transfer?: (length: number) => ArrayBuffer;
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

/** Gives memory back at once, and not when it is collected some day. */
function free(bytes: Uint8Array<ArrayBuffer>): void {
  bytes.buffer.transfer?.(0);
}

async function unpack<Block>(base64: string): Promise<Block> {
  const packed = bytesOf(base64);
  // What is packed with gzip ends with the size that it has unpacked.
  const json = new Uint8Array(new DataView(packed.buffer).getUint32(packed.length - 4, true));
  const gzip = new DecompressionStream("gzip");
  const writer = gzip.writable.getWriter();
  // What fails here fails below, too.
  writer.write(packed).catch(() => undefined);
  writer.close().catch(() => undefined);
  const reader = gzip.readable.getReader();
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    json.set(value, size);
    size += value.length;
    free(value);
  }
  free(packed);
  const text = new TextDecoder().decode(json);
  free(json);
  return JSON.parse(text) as Block;
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

/** Blocks by name, as a file beside the page holds them. */
type Shard = Record<string, string>;

type AddressPolicy = ReturnType<NonNullable<typeof window.trustedTypes>["createPolicy"]>;
let policy: AddressPolicy | undefined;
let handedOver: Shard = {};

function load(file: string): Promise<Shard> {
  window.explorerShard ??= (blocks) => {
    handedOver = blocks;
  };
  // The page's policy lets only this one rule make the address of a script.
  const rules = { createScriptURL: (address: string) => address };
  policy ??= window.trustedTypes?.createPolicy("shards", rules) ?? rules;
  const script = document.createElement("script");
  script.src = policy.createScriptURL(file);
  return new Promise((resolve, reject) => {
    // It is told right after the script has run: no other one can have run in between.
    script.onload = () => {
      resolve(handedOver);
      handedOver = {};
      script.remove();
    };
    script.onerror = () => {
      shards.delete(file); // it may be there at the next try
      script.remove();
      reject(new UnreadableBlock(file));
    };
    document.head.append(script);
  });
}

const shards = new Map<string, Promise<Shard>>();
/**
 * Files of which the text is kept: blocks that follow each other lie in one file. What was read
 * before is read from the disk again, if a block of it is wanted that is not unpacked any more.
 */
const KEPT_SHARDS = 4;

async function fromFile(name: string, file: string): Promise<string> {
  const loading = shards.get(file) ?? load(file);
  shards.delete(file);
  shards.set(file, loading); // last, so that the first one is the one unused for longest
  const [oldest] = shards.keys();
  if (shards.size > KEPT_SHARDS && oldest !== undefined) shards.delete(oldest);
  const text = (await loading)[name];
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
