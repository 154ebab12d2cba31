import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as t from "../../index.js";
import { packFlat } from "../views/pack-flat.js";

let d: t.Device;
beforeAll(async () => {
  d = await t.openDevice("reference");
});
afterAll(() => d.destroy());

const list = async (x: t.Tensor): Promise<number[]> => Array.from(await x.float64());
const count = (...shape: number[]): t.Tensor => t.reshape(d.arange(shape.reduce((a, b) => a * b, 1)), shape);

describe("reshape and its relatives", () => {
  it("works out one extent of −1", () => {
    expect(t.reshape(count(2, 3, 4), [4, -1]).shape).toEqual([4, 6]);
    expect(t.reshape(count(6), [-1]).shape).toEqual([6]);
    expect(() => t.reshape(count(6), [4, -1])).toThrow("6 is not a multiple of 4");
    expect(() => t.reshape(count(6), [-1, -1])).toThrow(/only one extent/);
    expect(() => t.reshape(count(6), [4])).toThrow("[6] (6 elements) cannot become [4] (4 elements)");
  });

  it("squeezes and unsqueezes", () => {
    expect(t.squeeze(count(1, 3, 1)).shape).toEqual([3]);
    expect(t.squeeze(count(1, 3, 1), -1).shape).toEqual([1, 3]);
    expect(() => t.squeeze(count(2, 3), 0)).toThrow("axis 0 of [2, 3] has extent 2");
    expect(t.unsqueeze(count(2, 3), -1).shape).toEqual([2, 3, 1]);
    expect(t.unsqueeze(count(2, 3), 1).shape).toEqual([2, 1, 3]);
  });

  it("transposes the last two axes, or two by name", async () => {
    expect(t.transpose(count(2, 3, 4)).shape).toEqual([2, 4, 3]);
    expect(t.transpose(count(2, 3, 4), 0, 2).shape).toEqual([4, 3, 2]);
    expect(await list(t.transpose(count(2, 3)))).toEqual([0, 3, 1, 4, 2, 5]);
    expect(() => t.permute(count(2, 3), [0, 0])).toThrow(/do not name each axis/);
  });

  it("expands by NumPy's rule only", () => {
    expect(t.expand(count(3, 1), [2, 3, 4]).shape).toEqual([2, 3, 4]);
    expect(() => t.expand(count(3), [2])).toThrow(/expand/);
    expect(() => t.expand(count(3), [1])).toThrow(/does not stretch|do not broadcast/);
  });
});

describe("slices", () => {
  it("follows Python", async () => {
    const x = count(6);
    expect(await list(t.slice(x, [1], [4]))).toEqual([1, 2, 3]);
    expect(await list(t.slice(x, [-2]))).toEqual([4, 5]);
    expect(await list(t.slice(x, [null], [null], [-2]))).toEqual([5, 3, 1]);
    expect(await list(t.slice(x, [4], [1], [-1]))).toEqual([4, 3, 2]);
    expect(await list(t.slice(x, [-100], [100], [4]))).toEqual([0, 4]);
    expect(await list(t.slice(x, [4], [2]))).toEqual([]);
    expect(t.slice(x, [0])).toBe(x);
    expect(() => t.slice(x, [0], [1], [0])).toThrow(/step 0/);
    expect(() => t.slice(x, [0, 0])).toThrow("2 bounds for 1 axes of [6]");
    expect(() => t.slice(x, [0.5])).toThrow(/bound 0.5/);
  });

  it("splits, flips and places", async () => {
    expect((await Promise.all(t.split(count(6), 3).map(list))).flat()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(t.split(count(2, 5), [2, 3], 1).map((x) => x.shape)).toEqual([
      [2, 2],
      [2, 3],
    ]);
    expect(() => t.split(count(5), 2)).toThrow("axis 0 of [5] does not fall into 2 equal parts");
    expect(() => t.split(count(5), [2, 2])).toThrow("add up to 4");
    expect(await list(t.flip(count(2, 2), 1))).toEqual([1, 0, 3, 2]);
    expect(await list(t.flip(count(2, 2)))).toEqual([3, 2, 1, 0]);
    expect(await list(t.place(d.ones([1, 2]), [2, 3], [1, 1]))).toEqual([0, 0, 0, 0, 1, 1]);
    expect(() => t.place(d.ones([2]), [2], [1])).toThrow(/lie outside/);
  });
});

describe("joining and repeating", () => {
  it("concatenates and stacks", async () => {
    expect(await list(t.concat([count(2, 1), count(2, 2)], 1))).toEqual([0, 0, 1, 1, 2, 3]);
    expect(t.stack([count(2), count(2)], -1).shape).toEqual([2, 2]);
    expect(await list(t.stack([count(2), count(2)], -1))).toEqual([0, 0, 1, 1]);
    expect(t.concat([count(1), d.ones([1])]).dtype).toBe("float32");
    expect(() => t.concat([count(2, 2), count(3, 3)])).toThrow(
      "input 1 is int32 [3, 3], input 0 is int32 [2, 2]",
    );
    expect(() => t.concat([])).toThrow(/nothing to join/);
    expect(() => t.stack([count(2), count(3)])).toThrow("[2], [3] differ");
  });

  it("tiles and rolls", async () => {
    expect(await list(t.tile(count(2), [2]))).toEqual([0, 1, 0, 1]);
    expect(await list(t.tile(count(1, 2), [2, 2]))).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
    expect(t.tile(count(2), [3, 1]).shape).toEqual([3, 2]);
    expect(await list(t.roll(count(4), 1))).toEqual([3, 0, 1, 2]);
    expect(await list(t.roll(count(4), -5))).toEqual([1, 2, 3, 0]);
  });

  it("pads", async () => {
    expect(await list(t.pad(count(3), 1, { value: 9 }))).toEqual([9, 0, 1, 2, 9]);
    expect(await list(t.pad(count(3), 2, { mode: "edge" }))).toEqual([0, 0, 0, 1, 2, 2, 2]);
    expect(await list(t.pad(count(3), 2, { mode: "reflect" }))).toEqual([2, 1, 0, 1, 2, 1, 0]);
    expect(() => t.pad(count(3), 3, { mode: "reflect" })).toThrow("reflecting 3 elements needs more than 3");
    expect(() => t.pad(count(3), -1)).toThrow(/width -1/);
    expect(() =>
      t.pad(count(3), [
        [0, 0],
        [1, 1],
      ]),
    ).toThrow("2 pairs of widths for 1 axes");
  });

  it("packs tensors into a flat one, aligned", async () => {
    const packed = await list(packFlat([d.ones([2]), d.full([1, 2], 2)], [0, 64], 70));
    expect(packed.flatMap((v, i) => (v ? [[i, v]] : []))).toEqual([
      [0, 1],
      [1, 1],
      [64, 2],
      [65, 2],
    ]);
    expect(() => packFlat([d.ones([2])], [3], 70)).toThrow("offset 3 of input 0 is not a multiple of 64");
    expect(() => packFlat([d.ones([70])], [0], 64)).toThrow("64 elements do not hold the inputs");
  });
});
