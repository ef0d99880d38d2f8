// Writes ZIP archives, compressed by the browser itself. Members of 4 GB and more are not foreseen.

type Field = readonly [value: number, bytes: 2 | 4];
type Bytes = Uint8Array<ArrayBuffer>;
type Member = { name: Bytes; crc: number; size: number; packed: Blob; offset: number };

const VERSION: Field = [20, 2];
const NONE: Field = [0, 2];
/** 1980-01-01: no archive depends on when it was made. */
const NO_DATE: Field = [0x0021, 2];
const NAMES_ARE_UTF8: Field = [0x0800, 2];
const DEFLATED: Field = [8, 2];

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/** The CRC-32 of some bytes that follow those of which `before` is the CRC-32. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** An archive in the making: members are added one after the other. */
export class Zip {
  private readonly parts: (Blob | Bytes)[] = [];
  private readonly members: Member[] = [];
  private size = 0;

  /** Compresses a text as it comes: memory holds what is compressed, and a part of the rest. */
  async add(name: string, texts: Iterable<string> | AsyncIterable<string>): Promise<void> {
    const deflate = new CompressionStream("deflate-raw");
    const packed = new Response(deflate.readable).blob();
    const writer = deflate.writable.getWriter();
    const encoder = new TextEncoder();
    let crc = 0;
    let size = 0;
    for await (const text of texts) {
      const bytes = encoder.encode(text);
      crc = crc32(bytes, crc);
      size += bytes.length;
      await writer.write(bytes);
    }
    await writer.close();
    const offset = this.size;
    const member = { name: encoder.encode(name), crc, size, packed: await packed, offset };
    this.members.push(member);
    this.put(toBytes([0x04034b50, 4], ...shared(member)), member.name, member.packed);
  }

  finish(): Blob {
    const start = this.size;
    for (const member of this.members) {
      const unused: Field[] = [NONE, NONE, NONE, [0, 4]];
      const fields = [VERSION, ...shared(member), ...unused, [member.offset, 4] as const];
      this.put(toBytes([0x02014b50, 4], ...fields), member.name);
    }
    const count: Field = [this.members.length, 2];
    const place: Field[] = [
      [this.size - start, 4],
      [start, 4],
    ];
    this.put(toBytes([0x06054b50, 4], NONE, NONE, count, count, ...place, NONE));
    return new Blob(this.parts);
  }

  private put(...parts: (Blob | Bytes)[]): void {
    for (const part of parts) {
      this.parts.push(part);
      this.size += part instanceof Blob ? part.size : part.length;
    }
  }
}

/** What the header before a member and the one at the end of the archive both say. */
function shared(member: Member): Field[] {
  const sizes: Field[] = [
    [member.crc, 4],
    [member.packed.size, 4],
    [member.size, 4],
  ];
  const lengths: Field[] = [[member.name.length, 2], NONE];
  return [VERSION, NAMES_ARE_UTF8, DEFLATED, NONE, NO_DATE, ...sizes, ...lengths];
}

function toBytes(...fields: readonly Field[]): Bytes {
  const bytes: number[] = [];
  for (const [value, count] of fields) {
    for (let at = 0; at < count; at++) bytes.push((value >>> (8 * at)) & 0xff);
  }
  return Uint8Array.from(bytes);
}
