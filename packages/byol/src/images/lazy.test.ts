import { expect, it } from "vitest";
import { Budget, lazyImages } from "./lazy.js";
import { Skips } from "./skips.js";

/** Ten images of 100 bytes; image 3 cannot be read. Counts how often each is fetched. */
function counted(cacheBytes: number, strict = false) {
  const fetched: number[] = [];
  const skips = new Skips(strict);
  const set = lazyImages({
    ...{ count: 10, skips, budget: new Budget({ cacheBytes }) },
    fetch: async (index) => {
      fetched.push(index);
      return index === 3 ? { reason: "torn" } : { pixels: new Uint8Array(100).fill(index) };
    },
    nameOf: (index) => `image ${index}`,
  });
  const epoch = async () => {
    fetched.length = 0;
    await Promise.all(Array.from({ length: 10 }, (_, i) => set.read(i)));
    return fetched.length;
  };
  return { set, skips, epoch };
}

it("decodes once what fits in memory, bad records included", async () => {
  const { set, skips, epoch } = counted(900);
  expect([await epoch(), await epoch()]).toEqual([10, 0]);
  expect((await set.read(7))![0]).toBe(7);
  expect(skips.list).toEqual([{ file: "image 3", reason: "torn" }]);
});

it("decodes anew what does not fit", async () => {
  const { skips, epoch } = counted(450);
  expect([await epoch(), await epoch(), await epoch()]).toEqual([10, 5, 5]);
  expect(skips.list).toHaveLength(1);
});

it("waits for one decoding when two ask at once", async () => {
  const { set, epoch } = counted(0);
  expect(await epoch()).toBe(10);
  const [a, b] = await Promise.all([set.read(1), set.read(1)]);
  expect(a).toBe(b);
});

it("stops at the first bad record when strict", async () => {
  const { set } = counted(900, true);
  await expect(set.read(3)).rejects.toThrow(/image 3 cannot be read: torn/);
});
