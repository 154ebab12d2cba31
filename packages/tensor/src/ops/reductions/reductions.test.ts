import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as t from "../../index.js";

let d: t.Device;
beforeAll(async () => {
  d = await t.openDevice("reference");
});
afterAll(() => d.destroy());

const list = async (x: t.Tensor): Promise<number[]> => Array.from(await x.float64());
const x = (): t.Tensor =>
  d.tensor([
    [1, 2, 6],
    [4, 5, 3],
  ]);

describe("axes", () => {
  it("are all, one, some, or negative; keepDims leaves ones", async () => {
    expect(t.sum(x()).shape).toEqual([]);
    expect(t.sum(x(), -1).shape).toEqual([2]);
    expect(t.sum(x(), [0, 1], true).shape).toEqual([1, 1]);
    expect(t.max(x(), 0, true).shape).toEqual([1, 3]);
    expect(await list(t.sum(x(), 0))).toEqual([5, 7, 9]);
    expect(await list(t.sum(x(), []))).toEqual([1, 2, 6, 4, 5, 3]);
  });

  it("are checked", () => {
    expect(() => t.sum(x(), 2)).toThrow("sum: axis 2 is out of range for rank 2 (use -2 to 1)");
    expect(() => t.mean(x(), [0, -2])).toThrow(/repeat an axis/);
    expect(() => t.max(d.zeros([2, 0]), 1)).toThrow("max: axis 1 of [2, 0] is empty");
    expect(() => t.argMin(d.zeros([0]))).toThrow(/argMin of nothing is undefined/);
    expect(() => t.softmax(x(), 5)).toThrow(/softmax: axis 5/);
  });
});

describe("values and dtypes", () => {
  it("sums narrow types in int32, averages in float32", async () => {
    expect(t.sum(d.full([300], 255, "uint8")).dtype).toBe("int32");
    expect(await t.sum(d.full([300], 255, "uint8")).item()).toBe(76_500);
    expect(await t.sum(d.tensor([1, 0, 1], [3], "bool")).item()).toBe(2);
    expect(t.mean(d.arange(4)).dtype).toBe("float32");
    expect(await t.mean(d.arange(4)).item()).toBe(1.5);
  });

  it("measures variance, biased and not", async () => {
    expect(await t.variance(d.tensor([1, 2, 3, 4])).item()).toBe(1.25);
    expect(await t.variance(d.tensor([1, 2, 3, 4]), 0, false, true).item()).toBeCloseTo(5 / 3, 12);
    expect(t.variance(x(), 1, true).shape).toEqual([2, 1]);
    expect(await list(t.variance(x(), 0))).toEqual([2.25, 2.25, 2.25]);
  });

  it("finds positions: the first of equals, NaN before all", async () => {
    expect(await list(t.argMax(x(), 1))).toEqual([2, 1]);
    expect(await t.argMax(x()).item()).toBe(2);
    expect(t.argMin(x(), 0, true).shape).toEqual([1, 3]);
    expect(await t.argMax(d.tensor([1, NaN, 5])).item()).toBe(1);
    expect(await t.argMin(d.tensor([1, NaN, NaN, -5])).item()).toBe(1);
    expect(await t.argMin(d.tensor([2, 1, 1])).item()).toBe(1);
  });

  it("answers any and all for numbers too", async () => {
    expect(await t.any(d.tensor([0, 0.5])).item()).toBe(1);
    expect(await t.all(d.tensor([0, 0.5])).item()).toBe(0);
    expect(t.all(x(), 1).dtype).toBe("bool");
  });

  it("runs sums both ways", async () => {
    expect(await list(t.cumsum(d.tensor([1, 2, 3])))).toEqual([1, 3, 6]);
    expect(await list(t.cumsum(d.tensor([1, 2, 3]), 0, { reverse: true }))).toEqual([6, 5, 3]);
    expect(await list(t.cumsum(d.tensor([1, 2, 3]), 0, { exclusive: true }))).toEqual([0, 1, 3]);
  });

  it("normalises exponentials without overflow", async () => {
    const [a, b] = await list(t.softmax(d.tensor([1000, 1000])));
    expect([a, b]).toEqual([0.5, 0.5]);
    expect(await t.logSumExp(d.tensor([1000, 1000])).item()).toBeCloseTo(1000 + Math.LN2, 10);
    expect((await list(t.logSoftmax(d.tensor([0, 1000]))))[0]).toBe(-1000);
  });
});
