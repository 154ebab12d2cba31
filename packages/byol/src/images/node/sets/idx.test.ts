import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordFileBytes } from "../limits.js";
import { readIdx } from "./idx.js";
import { Miniature } from "./miniature.js";

let mini: Miniature;
beforeAll(async () => {
  mini = await Miniature.make();
});
afterAll(() => mini.remove());

const header = (...shape: number[]): Buffer => {
  const words = Buffer.alloc(4 + 4 * shape.length);
  [0x800 + shape.length, ...shape].forEach((word, i) => words.writeUInt32BE(word, 4 * i));
  return words;
};
async function read(name: string, content: Uint8Array, dimensions: number) {
  await mini.put(name, content);
  return readIdx(mini.path(name), dimensions);
}

describe("readIdx", () => {
  it("unpacks no more than the header says", async () => {
    // Zeros to the size of a disc take a few bytes as gzip.
    const bomb = gzipSync(Buffer.concat([header(5), Buffer.of(1, 2, 3, 4, 5), Buffer.alloc(64 * 2 ** 20)]));
    const before = process.memoryUsage().arrayBuffers;
    const { shape, values } = await read("bomb.gz", bomb, 1);
    expect([shape, [...values]]).toEqual([[5], [1, 2, 3, 4, 5]]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20);
  });

  it.each(["vast", "vast.gz"])("refuses a header of more than is read: %s", async (name) => {
    const bytes = header(2 ** 32 - 1, 28, 28);
    const packed = name.endsWith(".gz") ? gzipSync(Buffer.concat([bytes, Buffer.alloc(100)])) : bytes;
    await expect(read(name, packed, 3)).rejects.toThrow(
      new RegExp(`vast.* announces 3367254359296 bytes, more than the ${recordFileBytes}`),
    );
  });

  it("gives what there is of a cut file, and names one cut in its header", async () => {
    expect([...(await read("cut", Buffer.concat([header(9), Buffer.of(1, 2)]), 1)).values]).toEqual([1, 2]);
    await expect(read("short", header(9).subarray(0, 6), 1)).rejects.toThrow(
      /ends within its header, after 6/,
    );
    await expect(read("empty.gz", gzipSync(Buffer.alloc(0)), 1)).rejects.toThrow(/ends within its header/);
    await expect(readIdx(mini.path("none.gz"), 1)).rejects.toThrow(/none.gz does not exist/);
  });
});
