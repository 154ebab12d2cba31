/** Batched matrix products, C[…, m, n] = Σ_k A·B. */
import { add, type Expr, flatten, i32, mul } from "../expr/expr.js";
import { numel } from "../shape.js";
import { defineFamily, type ParamsOf, sumOver } from "./family.js";

const params = {
  m: "number",
  n: "number",
  k: "number",
  /** A is stored [k, m], B is stored [n, k]. */
  transA: "boolean",
  transB: "boolean",
  batchShape: "numbers",
  /** Elements from one entry of each batch axis to the next; 0 broadcasts. */
  aStrides: "numbers",
  bStrides: "numbers",
} as const;

export type GemmParams = ParamsOf<typeof params>;

/** A product of two matrices; `more` transposes them or makes a batch of it. */
export const product = (m: number, n: number, k: number, more: Partial<GemmParams> = {}): GemmParams => ({
  ...{ m, n, k, transA: false, transB: false, batchShape: [], aStrides: [], bStrides: [] },
  ...more,
});

/** Elements that entries of `one` elements, so far apart, span. */
const span = (p: GemmParams, strides: readonly number[], one: number): number =>
  one + strides.reduce((sum, s, axis) => sum + s * (p.batchShape[axis]! - 1), 0);

export const gemm = defineFamily({
  name: "gemm",
  params,
  operands: (p) => ({
    reads: [{ shape: [span(p, p.aStrides, p.m * p.k)] }, { shape: [span(p, p.bStrides, p.k * p.n)] }],
    out: { shape: [...p.batchShape, p.m, p.n] },
  }),
  plain(p, at, [a, b]) {
    const batch = at.slice(0, -2);
    const [i, j] = at.slice(-2) as [Expr, Expr];
    const base = (strides: readonly number[]): Expr =>
      batch.reduce<Expr>((s, index, axis) => add(s, mul(index, i32(strides[axis]!))), i32(0));
    return sumOver([p.k], ([k]) => {
      const atA = p.transA ? flatten([k!, i], [p.k, p.m]) : flatten([i, k!], [p.m, p.k]);
      const atB = p.transB ? flatten([j, k!], [p.n, p.k]) : flatten([k!, j], [p.k, p.n]);
      return mul(a!([add(base(p.aStrides), atA)]), b!([add(base(p.bStrides), atB)]));
    });
  },
  flops: (p) => 2 * numel(p.batchShape) * p.m * p.n * p.k,
  samples: {
    awkward: [
      // Ragged on every side, and whole on every side: the two that a generator must write differently.
      product(65, 33, 17, { transB: true }),
      product(64, 32, 16, { transA: true }),
      ...(
        [
          [1, 1, 1],
          [1, 5, 7],
          [5, 1, 7],
          [7, 5, 1],
          [8, 8, 8],
          [7, 9, 17],
          [9, 7, 15],
          [16, 24, 32],
          [16, 64, 32],
          [15, 63, 31],
          [17, 65, 33],
          [33, 17, 65],
          [33, 40, 1],
          [64, 10, 128],
          [100, 3, 50],
          [31, 12, 300],
          [130, 132, 20],
          [65, 130, 300],
          [1, 256, 128],
          [128, 1, 256],
        ] as const
      ).flatMap(([m, n, k], i) => {
        const all = [false, true].flatMap((transA) => [false, true].map((transB) => ({ transA, transB })));
        // Every size once as it is stored, and with one other combination of transposes in turn.
        return [all[0], all[1 + (i % 3)]].map((t) => product(m, n, k, t));
      }),
      // Batches: as they are, broadcast on either side, over several axes, of extent 1.
      product(5, 6, 7, { batchShape: [3], aStrides: [35], bStrides: [42] }),
      product(5, 6, 7, { batchShape: [3], aStrides: [0], bStrides: [42] }),
      product(5, 6, 7, { batchShape: [3], aStrides: [35], bStrides: [0], transB: true }),
      product(9, 4, 3, { batchShape: [2, 3], aStrides: [0, 27], bStrides: [12, 0], transA: true }),
      product(9, 20, 6, { batchShape: [2, 3], aStrides: [162, 54], bStrides: [0, 120] }),
      product(9, 20, 6, {
        batchShape: [3, 2],
        aStrides: [0, 54],
        bStrides: [120, 0],
        transA: true,
        transB: true,
      }),
      product(3, 5, 2, { batchShape: [4, 1, 2], aStrides: [12, 12, 6], bStrides: [10, 10, 0] }),
      product(17, 19, 33, { batchShape: [4, 2], aStrides: [2 * 561, 561], bStrides: [0, 627] }),
      product(40, 48, 64, { batchShape: [5], aStrides: [2560], bStrides: [3072] }),
      product(200, 72, 48, { batchShape: [2], aStrides: [200 * 48], bStrides: [48 * 72] }),
    ],
    usual: [
      ...[256, 512, 1024].map((n) => product(n, n, n)),
      product(512, 512, 512, { transA: true }),
      product(512, 512, 512, { transB: true }),
      product(32, 4096, 512),
      product(128, 256, 128),
      product(128, 64, 256),
      product(64, 10, 512),
      product(256, 64, 128, { transA: true }),
      product(128, 128, 256, { transB: true }),
    ],
  },
});
