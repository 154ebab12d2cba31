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

it("measures an image once, whatever boxes of it are asked for", async () => {
  const measured: number[] = [];
  const skips = new Skips();
  const set = lazyImages({
    ...{ count: 2, skips, budget: new Budget(), nameOf: (index: number) => `image ${index}` },
    fetch: async () => ({ reason: "unasked" }),
    boxes: {
      async measure(index) {
        measured.push(index);
        return index === 1 ? { reason: "torn" } : { size: [30, 40] };
      },
      fetch: async (_, boxes, { size }) => ({ pixels: Uint8Array.from([...boxes.flat(), size]) }),
    },
  });
  const ask = (index: number) =>
    set.readBoxes!(
      index,
      (h, w) => [
        [0, 1, h, w],
        [2, 3, 4, 5],
      ],
      { size: 8, kernel: "cubic" },
    );
  for (let k = 0; k < 3; k++) expect([...(await ask(0))!]).toEqual([0, 1, 30, 40, 2, 3, 4, 5, 8]);
  expect(await ask(1)).toBeUndefined();
  expect(measured).toEqual([0, 1]);
  expect(skips.list).toEqual([{ file: "image 1", reason: "torn" }]);
});
