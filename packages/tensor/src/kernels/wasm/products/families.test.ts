import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCpu, type CpuBackend } from "../../../backends/cpu/backend.js";
import { noise } from "../../noise.js";
import type { ConvParams, GemmParams, ScatterAddParams } from "./params.js";
import * as oracle from "./testing.js";
import { conv } from "./testing.js";

let backends: CpuBackend[];
beforeAll(async () => {
  backends = [
    await openCpu({ threads: 1, shared: false }),
    await openCpu({ threads: 2 }),
    await openCpu({ threads: 7 }),
  ];
});
afterAll(() => Promise.all(backends.map((b) => b.destroy())));

/** Runs on every backend, wants equal bits, and compares with float64 relative to the size of the terms. */
async function check(
  family: string,
  params: object,
  reads: readonly Float32Array[],
  want: Float64Array,
  outputs = want.length,
  reduce: (out: Float32Array) => ArrayLike<number> = (out) => out,
): Promise<void> {
  const results: Float32Array[] = [];
  for (const b of backends) results.push(await oracle.runFamily(b, family, params, reads, outputs));
  for (const other of results.slice(1))
    expect(Buffer.from(other.buffer).equals(Buffer.from(results[0]!.buffer)), "bits on several threads").toBe(
      true,
    );
  const got = reduce(results[0]!);
  expect(got.length).toBe(want.length);
  const scale = want.reduce((top, v) => Math.max(top, Math.abs(v)), 1e-3);
  for (let i = 0; i < want.length; i++)
    if (!(Math.abs(got[i]! - want[i]!) <= 2e-5 * scale))
      expect.fail(`${family} ${JSON.stringify(params)}: element ${i} is ${got[i]}, float64 says ${want[i]}`);
}

const gemm = (m: number, n: number, k: number, more: Partial<GemmParams> = {}): GemmParams => ({
  m,
  n,
  k,
  transA: false,
  transB: false,
  batchShape: [],
  aStrides: [],
  bStrides: [],
  ...more,
});

async function checkGemm(p: GemmParams): Promise<void> {
  const span = (strides: readonly number[], one: number): number =>
    one + p.batchShape.reduce((s, extent, axis) => s + (extent - 1) * strides[axis]!, 0);
  const a = noise(span(p.aStrides, p.m * p.k), 1);
  const b = noise(span(p.bStrides, p.k * p.n), 2);
  await check("gemm", p, [a, b], oracle.naiveGemm(p, a, b));
}

describe("gemm", () => {
  test("awkward sizes, both operands as they are and transposed", async () => {
    const sizes = [
      [1, 1, 1],
      [1, 5, 7],
      [5, 1, 7],
      [7, 5, 1],
      [8, 8, 8],
      [7, 9, 17],
      [9, 7, 15],
      [16, 24, 32],
      [33, 17, 65],
      [64, 64, 64],
      [100, 3, 50],
      [3, 100, 50],
      [65, 130, 300],
      [130, 65, 257],
      [1, 256, 128],
      [128, 1, 256],
    ] as const;
    for (const [m, n, k] of sizes)
      for (const transA of [false, true])
        for (const transB of [false, true]) await checkGemm(gemm(m, n, k, { transA, transB }));
  });

  test("batches: plain, broadcast on either side, over two axes", async () => {
    await checkGemm(gemm(5, 6, 7, { batchShape: [3], aStrides: [35], bStrides: [42] }));
    await checkGemm(gemm(5, 6, 7, { batchShape: [3], aStrides: [0], bStrides: [42] }));
    await checkGemm(gemm(5, 6, 7, { batchShape: [3], aStrides: [35], bStrides: [0], transB: true }));
    await checkGemm(
      gemm(9, 4, 3, { batchShape: [2, 3], aStrides: [0, 27], bStrides: [12, 0], transA: true }),
    );
    await checkGemm(gemm(17, 19, 33, { batchShape: [4, 2], aStrides: [2 * 561, 561], bStrides: [0, 627] }));
    await checkGemm(gemm(40, 48, 64, { batchShape: [5], aStrides: [2560], bStrides: [3072] }));
  });

  test("long sums and many rows", async () => {
    await checkGemm(gemm(20, 12, 3000));
    await checkGemm(gemm(20, 12, 3000, { transA: true }));
    await checkGemm(gemm(2000, 16, 12));
    await checkGemm(gemm(16, 2000, 12, { transB: true }));
  });

  test("random sizes", async () => {
    const extent = fc.integer({ min: 1, max: 70 });
    await fc.assert(
      fc.asyncProperty(extent, extent, extent, fc.boolean(), fc.boolean(), (m, n, k, transA, transB) =>
        checkGemm(gemm(m, n, k, { transA, transB })),
      ),
      { numRuns: 40 },
    );
  });
});

const shapes: ConvParams[] = [
  conv(1, [1, 1], [1, 1], [1, 1]),
  conv(2, [5, 7], [3, 16], [3, 3], { padding: [1, 1, 1, 1] }),
  conv(3, [8, 8], [16, 16], [3, 3], { padding: [1, 1, 1, 1] }),
  conv(2, [9, 6], [4, 8], [3, 3], { padding: [0, 0, 1, 1], stride: [2, 2] }),
  conv(2, [9, 11], [5, 7], [3, 2], { padding: [2, 0, 1, 1], stride: [2, 3] }),
  conv(1, [10, 10], [3, 5], [3, 3], { padding: [2, 2, 2, 2], dilation: [2, 2] }),
  conv(2, [12, 9], [4, 6], [3, 3], { padding: [1, 3, 2, 0], dilation: [1, 3], stride: [3, 1] }),
  conv(2, [6, 6], [8, 8], [1, 1]),
  conv(2, [7, 7], [16, 32], [1, 1], { stride: [2, 2] }),
  conv(2, [6, 5], [4, 4], [3, 3], { padding: [1, 1, 1, 1], groups: 4 }),
  conv(1, [6, 5], [6, 9], [3, 3], { padding: [1, 1, 1, 1], groups: 3 }),
  conv(2, [8, 8], [16, 24], [3, 3], { padding: [1, 1, 1, 1], groups: 2, stride: [2, 2] }),
  conv(1, [3, 3], [2, 2], [5, 5], { padding: [3, 3, 3, 3] }),
  conv(1, [20, 20], [3, 12], [7, 7], { padding: [3, 3, 3, 3], stride: [2, 2] }),
  conv(2, [4, 4], [33, 65], [3, 3], { padding: [1, 1, 1, 1] }),
  conv(4, [4, 4], [128, 128], [3, 3], { padding: [1, 1, 1, 1] }),
  conv(1, [9, 9], [17, 15], [2, 2], { stride: [3, 3] }),
  conv(8, [14, 14], [32, 32], [3, 3], { padding: [1, 1, 1, 1] }),
  conv(3, [4, 4], [192, 24], [3, 3], { padding: [1, 1, 1, 1] }),
  conv(2, [40, 40], [24, 9], [3, 3], { padding: [1, 1, 1, 1] }),
  conv(1, [70, 66], [20, 8], [5, 5], { padding: [2, 2, 2, 2], stride: [2, 1] }),
  conv(2, [5, 2], [8, 8], [3, 3], { padding: [1, 1, 1, 1] }),
  conv(3, [9, 1], [8, 12], [3, 1], { padding: [1, 0, 1, 0] }),
];

async function checkConv(p: ConvParams, splits: readonly number[]): Promise<void> {
  const sizes = oracle.convSizes(p);
  const [x, w, dy] = [noise(sizes.x, 1), noise(sizes.w, 2), noise(sizes.y, 3)];
  await check("conv2d", p, [x, w], oracle.naiveConv(p, x, w));
  await check("conv2dInputGrad", p, [dy, w], oracle.naiveInputGrad(p, dy, w));
  for (const count of splits) {
    const q = { ...p, splits: count };
    await check(
      "conv2dWeightGrad",
      q,
      [x, dy],
      oracle.naiveWeightGrad(p, x, dy),
      count * sizes.w,
      (partials) => oracle.addSplits(q, partials),
    );
  }
}

describe("conv2d and its gradients", () => {
  for (const [i, p] of shapes.entries())
    test(`shape ${i}: ${Object.values(p).join(" ")}`, () => checkConv(p, [1, 3]));

  test("random shapes", async () => {
    const small = fc.integer({ min: 1, max: 3 });
    const pad = fc.integer({ min: 0, max: 2 });
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          batch: small,
          kh: small,
          kw: small,
          sh: small,
          sw: small,
          dh: small,
          dw: small,
          t: pad,
          l: pad,
          b: pad,
          r: pad,
          eh: fc.integer({ min: 0, max: 9 }),
          ew: fc.integer({ min: 0, max: 9 }),
          groups: small,
          inPer: fc.integer({ min: 1, max: 9 }),
          outPer: fc.integer({ min: 1, max: 18 }),
        }),
        async (c) => {
          const size = (kernel: number, dilation: number, extra: number, pads: number): number =>
            Math.max(1, (kernel - 1) * dilation + 1 - pads) + extra;
          const p = conv(
            c.batch,
            [size(c.kh, c.dh, c.eh, c.t + c.b), size(c.kw, c.dw, c.ew, c.l + c.r)],
            [c.groups * c.inPer, c.groups * c.outPer],
            [c.kh, c.kw],
            {
              stride: [c.sh, c.sw],
              dilation: [c.dh, c.dw],
              padding: [c.t, c.l, c.b, c.r],
              groups: c.groups,
            },
          );
          await checkConv(p, [2]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("scatterAdd", () => {
  test("repeated, missing and outside rows; wide and narrow; equal bits on every number of threads", async () => {
    for (const [rows, inner, count] of [
      [1, 1, 1],
      [5, 3, 40],
      [50, 16, 7],
      [10, 17, 5000],
      [3, 1, 20000],
      [4, 4, 0],
    ] as const) {
      const p: ScatterAddParams = { rows, inner, count };
      const keys = Int32Array.from(noise(count, 3), (v) => Math.floor(v * (rows + 1)));
      const order = Int32Array.from({ length: count }, (_, i) => i).sort(
        (a, b) => keys[a]! - keys[b]! || b - a,
      );
      const sorted = order.map((i) => keys[i]!);
      const updates = noise(count * inner, 4);
      const out = noise(rows * inner, 5);
      const want = out.slice();
      sorted.forEach((row, j) => {
        if (row < 0 || row >= rows) return;
        for (let e = 0; e < inner; e++) want[row * inner + e]! += updates[order[j]! * inner + e]!;
      });
      for (const backend of backends) {
        const results = await oracle.run(backend, { family: "scatterAdd", params: { ...p } }, [
          { dtype: "int32", access: "read", data: sorted },
          { dtype: "int32", access: "read", data: order },
          { dtype: "float32", access: "read", data: updates },
          { dtype: "float32", access: "update", data: out },
        ]);
        expect(new Float32Array(results[3]!)).toEqual(want);
      }
    }
  });
});
