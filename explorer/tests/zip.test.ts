import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "../src/zip.ts";

test("checksums are those of zip, whatever the parts", () => {
  const bytes = new TextEncoder().encode("123456789");
  assert.equal(crc32(bytes), 0xcbf43926);
  assert.equal(crc32(bytes.subarray(4), crc32(bytes.subarray(0, 4))), 0xcbf43926);
  assert.equal(crc32(new Uint8Array()), 0);
});
