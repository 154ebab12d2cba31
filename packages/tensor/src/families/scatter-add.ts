/**
 * Adds updates to the rows of a matrix: out[rowOf[j]] += updates[order[j]] for every j, in ascending order. `rowOf` is
 * sorted, so that the updates of a row stand together; rows outside of the matrix are left out.
 */
import { add, eq, fold, select } from "../expr/expr.js";
import { defineFamily, type ParamsOf } from "./family.js";
import { noise } from "./noise.js";

const params = {
  rows: "number",
  /** Elements of a row. */
  inner: "number",
  /** Updates. */
  count: "number",
} as const;
export type ScatterAddParams = ParamsOf<typeof params>;

const sample = ([rows, inner, count]: readonly [number, number, number]): ScatterAddParams => ({
  rows,
  inner,
  count,
});

export const scatterAdd = defineFamily({
  name: "scatterAdd",
  params,
  operands: ({ rows, inner, count }) => ({
    reads: [
      { shape: [count], dtype: "int32" },
      { shape: [count], dtype: "int32" },
      { shape: [count, inner] },
    ],
    out: { shape: [rows, inner] },
  }),
  plain: ({ count }, [row, column], [rowOf, order, updates, out]) =>
    fold(count, [out!([row!, column!])], (j, [total]) => [
      select(eq(rowOf!([j]), row!), add(total!, updates!([order!([j]), column!])), total!),
    ])[0]!,
  flops: ({ inner, count }) => inner * count,
  updates: true,
  samples: {
    awkward: (
      [
        [5, 3, 2],
        [1, 1, 1],
        [1, 1, 9],
        [5, 3, 40],
        [40, 17, 80],
        [300, 64, 300],
        [50, 16, 7],
        [10, 17, 5000],
        [3, 1, 20_000],
        [4, 4, 0],
      ] as const
    ).map(sample),
    usual: (
      [
        [4096, 128, 512],
        [1000, 64, 20_000],
      ] as const
    ).map(sample),
  },
  /** Repeated, missing and outside rows, on either side; equal rows in any order. */
  inputs({ rows, inner, count }) {
    const target = Int32Array.from(noise(count, 1), (v) => Math.floor(((v + 1) / 2) * (rows + 4)) - 2);
    const order = Int32Array.from({ length: count }, (_, i) => i).sort(
      (i, j) => target[i]! - target[j]! || j - i,
    );
    const rowOf = order.map((i) => target[i]!);
    return [rowOf, order, noise(count * inner, 3), noise(rows * inner, 4)];
  },
  refuses(_, [rowOf]) {
    for (let j = 1; j < rowOf!.length; j++)
      if (rowOf![j]! < rowOf![j - 1]!) return `rows are not ascending at ${j}`;
    return undefined;
  },
});
