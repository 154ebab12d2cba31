import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as t from "../../index.js";

let d: t.Device;
beforeAll(async () => {
  d = await t.openDevice("reference");
});
afterAll(() => d.destroy());

const list = async (x: t.Tensor): Promise<number[]> => Array.from(await x.float64());
const ints = (...v: number[]): t.Tensor => d.tensor(Int32Array.from(v));
const bytes = (...v: number[]): t.Tensor => d.tensor(Uint8Array.from(v));
const bools = (...v: number[]): t.Tensor => d.tensor(v, [v.length], "bool");

describe("dtypes of arithmetic", () => {
  it("promotes operands: float32 before int32 before uint32 before uint8; bool counts as int32", () => {
    expect(t.add(ints(1), d.tensor([1])).dtype).toBe("float32");
    expect(t.add(ints(1), bytes(1)).dtype).toBe("int32");
    expect(t.mul(bytes(1), bytes(2)).dtype).toBe("uint8");
    expect(t.add(bools(1), bools(1)).dtype).toBe("int32");
    expect(t.div(ints(1), ints(2)).dtype).toBe("float32");
    expect(t.exp(ints(1)).dtype).toBe("float32");
    expect(t.less(bytes(1), d.tensor([2])).dtype).toBe("bool");
  });

  it("lets a number take the tensor's dtype where it holds the number", () => {
    expect(t.add(ints(1), 2).dtype).toBe("int32");
    expect(t.add(ints(1), 0.5).dtype).toBe("float32");
    expect(t.add(bytes(1), 2).dtype).toBe("uint8");
    expect(t.sub(bytes(1), -2).dtype).toBe("int32");
    expect(t.mul(bytes(1), 1000).dtype).toBe("int32");
    expect(t.add(bools(1), 1).dtype).toBe("int32");
    expect(t.where(bools(1), 1, ints(2)).dtype).toBe("int32");
  });

  it("wraps integers as memory does", async () => {
    expect(await list(t.add(bytes(250), bytes(10)))).toEqual([4]);
    expect(await list(t.sub(bytes(1), bytes(2)))).toEqual([255]);
    expect(await list(t.mul(ints(65536), ints(65537)))).toEqual([65536]);
    expect(await list(t.neg(d.tensor(Uint32Array.of(1))))).toEqual([2 ** 32 - 1]);
  });

  it("refuses numbers only, and shapes that do not broadcast", () => {
    expect(() => t.add(1, 2)).toThrow(/add: needs a tensor/);
    expect(() => t.add(d.zeros([2, 3]), d.zeros([2]))).toThrow(
      "add: shapes [2, 3] and [2] do not broadcast (axis 1: 3 against 2)",
    );
  });

  it("refuses operands of two devices", async () => {
    const other = await t.openDevice("reference");
    expect(() => t.add(d.ones([1]), other.ones([1]))).toThrow(/one operand lives on reference/);
    await other.destroy();
  });
});

describe("values", () => {
  it("mod has the sign of the divisor", async () => {
    expect(await list(t.mod(ints(7, -7, 7, -7, 5), ints(3, 3, -3, -3, 0)))).toEqual([1, 2, -2, -1, 0]);
    expect(await list(t.mod(d.tensor([5.5, -5.5]), 2))).toEqual([1.5, 0.5]);
    const [up, down] = [Infinity, -Infinity];
    const [a, b] = [d.tensor([5, -5, 5, -5, 0, up]), d.tensor([up, up, down, down, down, 2])];
    expect(await list(t.mod(a, b))).toEqual([5, up, down, -5, 0, Number.NaN]);
  });

  it("pow takes shortcuts for small whole exponents and agrees with itself", async () => {
    const x = d.tensor([1.5, -2, 0.25]);
    for (const n of [1, 2, 3, -1])
      expect(await list(t.pow(x, n))).toEqual((await list(x)).map((v) => v ** n));
    expect(t.pow(x, 1)).toBe(x);
  });

  it("clip leaves infinite bounds open and checks their order", async () => {
    expect(await list(t.clip(d.tensor([-3, 0, 3]), -1, Infinity))).toEqual([-1, 0, 3]);
    expect(t.clip(ints(1, 2), 0.5, 1.5).dtype).toBe("float32");
    expect(await list(t.clip(bytes(3, 200), -5, 100))).toEqual([3, 100]);
    expect(() => t.clip(d.zeros([1]), 1, -1)).toThrow(/lower bound 1/);
    expect(() => t.clip(d.zeros([1]), Number.NaN, 1)).toThrow(/clip/);
  });

  it("round takes halves to the even neighbour", async () => {
    expect(await list(t.round(d.tensor([0.5, 1.5, 2.5, -0.5, -1.5, 2.4])))).toEqual([0, 2, 2, 0, -2, 2]);
  });

  it("cast truncates, wraps and tests", async () => {
    expect(await list(t.cast(d.tensor([1.9, -1.9]), "int32"))).toEqual([1, -1]);
    expect(await list(t.cast(ints(300, -1), "uint8"))).toEqual([44, 255]);
    expect(await list(t.cast(d.tensor([0, -0.5]), "bool"))).toEqual([0, 1]);
    const x = ints(1);
    expect(t.cast(x, "int32")).toBe(x);
  });
});
