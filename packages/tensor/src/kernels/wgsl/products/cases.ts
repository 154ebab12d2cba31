/** Test support: kernel calls of awkward sizes with results from naive float64 loops. */
import type { FamilyKernel } from "../../../program.js";
import { noise } from "../../noise.js";
import type { ConvParams } from "./conv-params.js";
import type { GemmParams } from "./gemm.js";
import type { HostBinding } from "../testing.js";

export interface Case {
  readonly name: string;
  readonly spec: FamilyKernel;
  readonly bindings: readonly HostBinding[];
  /** Of the last binding. */
  readonly expected: Float64Array;
}

const read = (data: HostBinding["data"]): HostBinding => ({
  dtype: data instanceof Int32Array ? "int32" : "float32",
  access: "read",
  data,
});
const write = (length: number): HostBinding => ({
  dtype: "float32",
  access: "write",
  data: new Float32Array(length).fill(NaN),
});

const sizes = [
  [1, 1, 1],
  [1, 7, 5],
  [7, 1, 3],
  [8, 8, 8],
  [16, 64, 32],
  [17, 65, 33],
  [15, 63, 31],
  [33, 40, 1],
  [31, 12, 300],
  [130, 132, 20],
  [64, 10, 128],
] as const;

export function gemmCases(): Case[] {
  const plain = sizes.flatMap(([m, n, k], i) => {
    const all = [false, true].flatMap((transA) => [false, true].map((transB) => ({ transA, transB })));
    // Every size once plain, and with one other combination of transposes in turn.
    return [all[0]!, all[1 + (i % 3)]!].map((t) =>
      gemmCase({ m, n, k, ...t, batchShape: [], aStrides: [], bStrides: [] }),
    );
  });
  const [m, n, k] = [9, 20, 6];
  return [
    ...plain,
    gemmCase({
      m,
      n,
      k,
      transA: false,
      transB: false,
      batchShape: [2, 3],
      aStrides: [3 * m * k, m * k],
      bStrides: [0, k * n],
    }),
    gemmCase({
      m,
      n,
      k,
      transA: true,
      transB: true,
      batchShape: [3, 2],
      aStrides: [0, m * k],
      bStrides: [k * n, 0],
    }),
    gemmCase({
      m: 3,
      n: 5,
      k: 2,
      transA: false,
      transB: false,
      batchShape: [4, 1, 2],
      aStrides: [12, 12, 6],
      bStrides: [10, 10, 0],
    }),
    gemmCase({
      m: 200,
      n: 72,
      k: 48,
      transA: false,
      transB: false,
      batchShape: [2],
      aStrides: [200 * 48],
      bStrides: [48 * 72],
    }),
  ];
}

export function gemmCase(p: GemmParams): Case {
  const { m, n, k, transA, transB, batchShape, aStrides, bStrides } = p;
  const length = (strides: readonly number[], one: number): number =>
    one + strides.reduce((sum, s, i) => sum + s * (batchShape[i]! - 1), 0);
  const a = noise(length(aStrides, m * k), 1);
  const b = noise(length(bStrides, k * n), 2);
  const batch = batchShape.reduce((x, d) => x * d, 1);
  const expected = new Float64Array(batch * m * n);
  for (let z = 0; z < batch; z++) {
    let [rest, aAt, bAt] = [z, 0, 0];
    for (let i = batchShape.length - 1; i >= 0; i--) {
      aAt += (rest % batchShape[i]!) * aStrides[i]!;
      bAt += (rest % batchShape[i]!) * bStrides[i]!;
      rest = Math.floor(rest / batchShape[i]!);
    }
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++)
        for (let l = 0; l < k; l++)
          expected[(z * m + i) * n + j]! +=
            a[aAt + (transA ? l * m + i : i * k + l)]! * b[bAt + (transB ? j * k + l : l * n + j)]!;
  }
  const name = `gemm ${m}×${n}×${k}${transA ? " Aᵀ" : ""}${transB ? " Bᵀ" : ""}${batch > 1 ? ` batch ${batchShape}` : ""}`;
  const spec = { family: "gemm", params: { ...p } };
  return { name, spec, bindings: [read(a), read(b), write(expected.length)], expected };
}

/** batch, h, w, inC, outC, kernel, stride, dilation, padding (both sides), groups. */
type Sketch = readonly [number, number, number, number, number, number, number, number, number, number?];
const sketches: readonly Sketch[] = [
  [1, 1, 1, 1, 1, 1, 1, 1, 0],
  [2, 5, 7, 3, 5, 3, 1, 1, 1],
  [2, 8, 8, 4, 8, 3, 1, 1, 1],
  [1, 9, 6, 5, 12, 3, 2, 1, 1],
  [3, 7, 7, 8, 16, 1, 1, 1, 0],
  [2, 8, 7, 6, 10, 1, 2, 1, 0],
  [1, 13, 11, 3, 64, 7, 2, 1, 3],
  [2, 9, 9, 4, 4, 3, 1, 2, 2],
  [1, 10, 9, 4, 6, 3, 3, 2, 2],
  [1, 6, 6, 2, 3, 2, 4, 1, 0],
  [1, 12, 12, 3, 8, 4, 4, 1, 0],
  [2, 6, 5, 8, 8, 3, 1, 1, 1, 8],
  [2, 6, 5, 6, 12, 3, 2, 1, 1, 3],
  [1, 7, 6, 32, 32, 3, 2, 1, 1, 2],
  [2, 5, 5, 16, 24, 1, 1, 1, 0, 2],
  [1, 4, 4, 24, 40, 5, 1, 1, 2],
  [1, 3, 3, 4, 4, 3, 1, 1, 3],
  [1, 9, 9, 3, 3, 3, 2, 2, 0],
  [9, 2, 2, 66, 68, 3, 1, 1, 1],
];

export const convCases = (): Case[] =>
  sketches.flatMap(([batch, h, w, inC, outC, k, stride, dilation, pad, groups = 1]) => {
    const out = (d: number): number => Math.floor((d + 2 * pad - (k - 1) * dilation - 1) / stride) + 1;
    const p: ConvParams = {
      ...{ batch, h, w, inC, outC, kh: k, kw: k, strideH: stride, strideW: stride, dilationH: dilation },
      ...{ dilationW: dilation, padTop: pad, padLeft: pad, outH: out(h), outW: out(w), groups },
    };
    return convCasesOf(p);
  });

export function convCasesOf(p: ConvParams, splits: readonly number[] = [1, 3]): Case[] {
  const x = noise(p.batch * p.h * p.w * p.inC, 3);
  const w = noise((p.kh * p.kw * p.inC * p.outC) / p.groups, 4);
  const dy = noise(p.batch * p.outH * p.outW * p.outC, 5);
  const y = new Float64Array(dy.length);
  const dx = new Float64Array(x.length);
  const dw = new Float64Array(w.length);
  eachProduct(p, (i, j, k) => {
    y[k]! += x[i]! * w[j]!;
    dx[i]! += dy[k]! * w[j]!;
    dw[j]! += x[i]! * dy[k]!;
  });
  const name = `${p.batch}×${p.h}×${p.w}, ${p.inC}→${p.outC}, kernel ${p.kh}, stride ${p.strideH}, dilation ${p.dilationH}, padding ${p.padTop}, groups ${p.groups}`;
  const one = (
    family: string,
    reads: readonly Float32Array[],
    expected: Float64Array,
    more: object = {},
  ): Case => ({
    name: `${family} ${name}`,
    spec: { family, params: { ...p, ...more } },
    bindings: [...reads.map(read), write(expected.length)],
    expected,
  });
  return [
    one("conv2d", [x, w], y),
    one("conv2dInputGrad", [dy, w], dx),
    ...splits.map((s) => {
      const partials = one("conv2dWeightGrad", [x, dy], dw, { splits: s });
      return { ...partials, bindings: [read(x), read(dy), write(dw.length * s)] };
    }),
  ];
}

/** Calls `visit(position in x, position in w, position in y)` for every product that a convolution adds up. */
function eachProduct(p: ConvParams, visit: (x: number, w: number, y: number) => void): void {
  const [inG, outG] = [p.inC / p.groups, p.outC / p.groups];
  for (let row = 0; row < p.batch * p.outH * p.outW; row++) {
    const [n, oy, ox] = [
      Math.floor(row / (p.outH * p.outW)),
      Math.floor(row / p.outW) % p.outH,
      row % p.outW,
    ];
    for (let tap = 0; tap < p.kh * p.kw; tap++) {
      const y = oy * p.strideH - p.padTop + Math.floor(tap / p.kw) * p.dilationH;
      const x = ox * p.strideW - p.padLeft + (tap % p.kw) * p.dilationW;
      if (y < 0 || y >= p.h || x < 0 || x >= p.w) continue;
      for (let o = 0; o < p.outC; o++)
        for (let i = 0; i < inG; i++)
          visit(
            ((n * p.h + y) * p.w + x) * p.inC + Math.floor(o / outG) * inG + i,
            (tap * inG + i) * p.outC + o,
            row * p.outC + o,
          );
    }
  }
}

export function scatterCases(): Case[] {
  return [
    [5, 3, 0.4],
    [1, 1, 9],
    [40, 17, 2],
    [300, 64, 1],
  ].map(([rows, inner, load]) => {
    const count = Math.max(1, Math.round(rows! * load!));
    // Some indices are out of range on either side and must be skipped.
    const target = Int32Array.from(noise(count, 6), (v) => Math.floor(((v + 1) / 2) * (rows! + 4)) - 2);
    const order = Int32Array.from({ length: count }, (_, i) => i).sort(
      (i, j) => target[i]! - target[j]! || i - j,
    );
    const updates = noise(count * inner!, 7);
    const out = noise(rows! * inner!, 8);
    const expected = Float64Array.from(out);
    for (let i = 0; i < count; i++)
      if (target[i]! >= 0 && target[i]! < rows!)
        for (let c = 0; c < inner!; c++) expected[target[i]! * inner! + c]! += updates[i * inner! + c]!;
    const sorted = order.map((i) => target[i]!);
    return {
      name: `scatterAdd ${count} updates into ${rows}×${inner}`,
      spec: { family: "scatterAdd", params: { rows, inner, count } },
      bindings: [read(sorted), read(order), read(updates), { dtype: "float32", access: "update", data: out }],
      expected,
    };
  });
}

/** The largest difference, relative to the size of the values; partial sums are added up first. */
export function difference(got: ArrayLike<number>, expected: Float64Array): number {
  let [worst, size] = [0, 1];
  for (const v of expected) size = Math.max(size, Math.abs(v));
  for (let i = 0; i < expected.length; i++) {
    let sum = 0;
    for (let at = i; at < got.length; at += expected.length) sum += got[at]!;
    const d = Math.abs(sum - expected[i]!);
    if (!(d <= worst)) worst = d;
  }
  return worst / size;
}
