/** Sorting where order is delicate: NaN, zeros of both signs, ties, and lines longer than one run. */
import { describe, expect, it } from "vitest";
import { type NdArray, registry } from "@dawnstrap/tensor/extend";
import { runLowered } from "./run.js";

const sort = registry.get("sort")!;
const array = (
  data: ArrayLike<number>,
  dtype: NdArray["dtype"] = "float32",
  shape = [data.length],
): NdArray => ({
  shape,
  dtype,
  data: Float64Array.from(data),
});
const run = (x: NdArray, descending: boolean, count = x.shape.at(-1)!, parallelism = 64) =>
  runLowered(sort, [x], { axis: x.shape.length - 1, descending, count }, { parallelism }).outputs.map((o) => [
    ...o.data,
  ]);

describe("sort", () => {
  const awkward = [
    3,
    Number.NaN,
    -0,
    Number.POSITIVE_INFINITY,
    0,
    -2.5,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    -0,
    1e-30,
    -1e-30,
    3,
  ];

  it("puts NaN last in both directions, and treats −0 and 0 as equal", () => {
    expect(run(array(awkward), false)[1]).toEqual([6, 5, 10, 2, 4, 8, 9, 0, 11, 3, 1, 7]);
    expect(run(array(awkward), true)[1]).toEqual([3, 0, 11, 9, 2, 4, 8, 10, 5, 6, 1, 7]);
  });

  it("gives the values that belong to the indices", () => {
    const [values] = run(array(awkward), false);
    expect(values).toEqual([
      Number.NEGATIVE_INFINITY,
      -2.5,
      Math.fround(-1e-30),
      -0,
      0,
      -0,
      Math.fround(1e-30),
      3,
      3,
      Number.POSITIVE_INFINITY,
      Number.NaN,
      Number.NaN,
    ]);
  });

  it.each([65, 128, 129, 1000, 2049])("is stable over %i elements of few distinct values", (n) => {
    const x = array(
      Float64Array.from({ length: n }, (_, i) => (i * 7919) % 13),
      "int32",
    );
    for (const descending of [false, true]) {
      const want = Array.from({ length: n }, (_, i) => i).sort(
        (a, b) => (descending ? -1 : 1) * (x.data[a]! - x.data[b]!) || a - b,
      );
      expect(run(x, descending)[1]).toEqual(want);
    }
  });

  it("orders integers over their whole range", () => {
    expect(run(array([5, -2147483648, 2147483647, -1, 0], "int32"), false)[0]).toEqual([
      -2147483648, -1, 0, 5, 2147483647,
    ]);
    expect(run(array([5, 4294967295, 2147483648, 0], "uint32"), true)[0]).toEqual([
      4294967295, 2147483648, 5, 0,
    ]);
    expect(run(array([1, 0, 1, 0], "bool"), true)[1]).toEqual([0, 2, 1, 3]);
  });

  it("takes the first few by insertion as the whole sort would", () => {
    const lines = 6;
    const n = 100;
    const x = array(
      Float64Array.from({ length: lines * n }, (_, i) => (i % 17 === 3 ? Number.NaN : (i * 7919) % 29)),
      "float32",
      [lines, n],
    );
    x.data.fill(Number.NaN, 2, n);
    for (const descending of [false, true]) {
      const [, whole] = run(x, descending);
      const few = run(x, descending, 5, 1)[1]!;
      const sorted = run(x, descending, 5, 1e6)[1]!;
      for (let l = 0; l < lines; l++)
        expect(few.slice(l * 5, l * 5 + 5)).toEqual(whole!.slice(l * n, l * n + 5));
      expect(few).toEqual(sorted);
    }
  });
});
