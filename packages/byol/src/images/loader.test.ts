import { describe, expect, it } from "vitest";
import { BatchLoader } from "./loader.js";
import type { ImageSet } from "./source.js";

const image = { height: 1, width: 2, channels: 1 } as const;

/** Image i has pixels (i, i) and label i mod 3; those in `bad` cannot be read. */
function numbered(length: number, bad: readonly number[] = []): ImageSet {
  return {
    length,
    labels: Int32Array.from({ length }, (_, i) => i % 3),
    read: async (i) => (bad.includes(i) ? undefined : Uint8Array.of(i, i)),
  };
}
const indicesOf = async (loader: BatchLoader, steps: number) => {
  const out: number[] = [];
  for (let step = 0; step < steps; step++) out.push(...(await loader.at(step)).indices);
  return out;
};

describe("BatchLoader", () => {
  it("shows every image at most once an epoch, drops the rest, and reshuffles", async () => {
    const loader = new BatchLoader(numbered(23), image, { batch: 5, seed: 1 });
    expect(loader.stepsPerEpoch).toBe(4);
    const all = await indicesOf(loader, 8);
    expect(new Set(all.slice(0, 20)).size).toBe(20);
    expect(new Set(all.slice(20)).size).toBe(20);
    expect(all.slice(20)).not.toEqual(all.slice(0, 20));
  });

  it("reads every image once, though batches are begun ahead", async () => {
    const set = numbered(40);
    let reads = 0;
    const read = (i: number) => {
      reads++;
      return set.read(i);
    };
    const counted: ImageSet = { ...set, read };
    await indicesOf(new BatchLoader(counted, image, { batch: 4, seed: 1 }), 8);
    // Eight batches, and two that were begun for the steps to come.
    expect(reads).toBe(10 * 4);
  });

  it("is a pure function of seed and step", async () => {
    const a = new BatchLoader(numbered(50), image, { batch: 4, seed: 7 });
    const b = new BatchLoader(numbered(50), image, { batch: 4, seed: 7, readAhead: 0 });
    const other = new BatchLoader(numbered(50), image, { batch: 4, seed: 8 });
    const all = await indicesOf(a, 30);
    expect([...(await b.at(17)).indices]).toEqual(all.slice(68, 72));
    expect(await indicesOf(other, 30)).not.toEqual(all);
  });

  it("keeps pixels, labels and indices together", async () => {
    const { indices, pixels, labels } = await new BatchLoader(numbered(40), image, { batch: 8, seed: 3 }).at(
      2,
    );
    expect([...pixels]).toEqual([...indices].flatMap((i) => [i, i]));
    expect([...labels!]).toEqual([...indices].map((i) => i % 3));
  });

  it("lets the next readable image stand in for a bad one", async () => {
    const bad = [3, 4, 11];
    const loader = new BatchLoader(numbered(12, bad), image, { batch: 6, seed: 5 });
    const all = await indicesOf(loader, 2);
    expect(all).toHaveLength(12);
    for (const i of all) expect(bad).not.toContain(i);
    expect(new Set(all).size).toBe(9);
  });

  it("refuses what it cannot fill", async () => {
    expect(() => new BatchLoader(numbered(3), image, { batch: 4, seed: 0 })).toThrow(
      /fewer than one batch of 4/,
    );
    const none = new BatchLoader(numbered(4, [0, 1, 2, 3]), image, { batch: 2, seed: 0 });
    await expect(none.at(0)).rejects.toThrow(/none of the 4 images can be read/);
  });
});
