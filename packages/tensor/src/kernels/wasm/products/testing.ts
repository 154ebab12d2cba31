/** Test support: the hand-written families as float64 loops, and a runner for one kernel on a device. */
import type { CpuBackend } from "../../../backends/cpu/backend.js";
import type { DType } from "../../../dtype.js";
import { storageBytes } from "../../../dtype.js";
import type { Access, KernelSpec } from "../../../program.js";
import type { ConvParams, ConvWeightGradParams, GemmParams } from "./params.js";

export interface Binding {
  readonly dtype: DType;
  readonly access: Access;
  readonly data: Float32Array | Int32Array | Uint32Array | Uint8Array;
}

/** Runs one kernel and returns the bytes of every binding afterwards. */
export async function run(
  backend: CpuBackend,
  spec: KernelSpec,
  bindings: readonly Binding[],
): Promise<ArrayBuffer[]> {
  const blocks = bindings.map((b) => {
    const bytes = b.data.length * storageBytes[b.dtype];
    const memory = backend.allocate(bytes);
    backend.write(memory, 0, b.data);
    return { memory, byteOffset: 0, bytes, dtype: b.dtype, access: b.access };
  });
  const key = `${spec.family}:${JSON.stringify((spec as { params?: unknown }).params)}`;
  const program = await backend.prepare([{ key, spec, bindings: blocks }]);
  program.run();
  const out = await Promise.all(blocks.map((b) => backend.read(b.memory, 0, b.bytes)));
  program.release();
  for (const b of blocks) backend.free(b.memory);
  return out;
}

/** Runs a family that reads float32 buffers and writes one; the output starts as NaN, so that gaps show. */
export async function runFamily(
  backend: CpuBackend,
  family: string,
  params: object,
  reads: readonly Float32Array[],
  outputs: number,
): Promise<Float32Array> {
  const results = await run(backend, { family, params: { ...params } }, [
    ...reads.map((data) => ({ dtype: "float32" as const, access: "read" as const, data })),
    { dtype: "float32", access: "write", data: new Float32Array(outputs).fill(NaN) },
  ]);
  return new Float32Array(results.at(-1)!);
}

export function naiveGemm(p: GemmParams, a: Float32Array, b: Float32Array): Float64Array {
  const { m, n, k, batchShape } = p;
  const batches = batchShape.reduce((x, y) => x * y, 1);
  const out = new Float64Array(batches * m * n);
  for (let q = 0; q < batches; q++) {
    let [atA, atB, rest] = [0, 0, q];
    for (let axis = batchShape.length - 1; axis >= 0; axis--) {
      const i = rest % batchShape[axis]!;
      rest = (rest - i) / batchShape[axis]!;
      atA += i * p.aStrides[axis]!;
      atB += i * p.bStrides[axis]!;
    }
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++)
          sum += a[atA + (p.transA ? l * m + i : i * k + l)]! * b[atB + (p.transB ? j * k + l : l * n + j)]!;
        out[(q * m + i) * n + j] = sum;
      }
  }
  return out;
}

export const convSizes = (p: ConvParams) => ({
  x: p.batch * p.h * p.w * p.inC,
  w: (p.kh * p.kw * p.inC * p.outC) / p.groups,
  y: p.batch * p.outH * p.outW * p.outC,
});

/** Visits every product of a convolution: positions in x, w and y. */
export function eachProduct(p: ConvParams, visit: (x: number, w: number, y: number) => void): void {
  const [inPer, outPer] = [p.inC / p.groups, p.outC / p.groups];
  for (let n = 0; n < p.batch; n++)
    for (let oy = 0; oy < p.outH; oy++)
      for (let ox = 0; ox < p.outW; ox++)
        for (let ky = 0; ky < p.kh; ky++)
          for (let kx = 0; kx < p.kw; kx++) {
            const y = oy * p.strideH + ky * p.dilationH - p.padTop;
            const x = ox * p.strideW + kx * p.dilationW - p.padLeft;
            if (y < 0 || y >= p.h || x < 0 || x >= p.w) continue;
            for (let oc = 0; oc < p.outC; oc++)
              for (let ic = 0; ic < inPer; ic++)
                visit(
                  ((n * p.h + y) * p.w + x) * p.inC + Math.floor(oc / outPer) * inPer + ic,
                  ((ky * p.kw + kx) * inPer + ic) * p.outC + oc,
                  ((n * p.outH + oy) * p.outW + ox) * p.outC + oc,
                );
          }
}

export function naiveConv(p: ConvParams, x: Float32Array, w: Float32Array): Float64Array {
  const y = new Float64Array(convSizes(p).y);
  eachProduct(p, (i, j, k) => {
    y[k]! += x[i]! * w[j]!;
  });
  return y;
}

export function naiveInputGrad(p: ConvParams, dy: Float32Array, w: Float32Array): Float64Array {
  const dx = new Float64Array(convSizes(p).x);
  eachProduct(p, (i, j, k) => {
    dx[i]! += dy[k]! * w[j]!;
  });
  return dx;
}

/** The sum over all splits. */
export function naiveWeightGrad(p: ConvParams, x: Float32Array, dy: Float32Array): Float64Array {
  const dw = new Float64Array(convSizes(p).w);
  eachProduct(p, (i, j, k) => {
    dw[j]! += x[i]! * dy[k]!;
  });
  return dw;
}

export function addSplits(p: ConvWeightGradParams, partials: Float32Array): Float64Array {
  const size = convSizes(p).w;
  return Float64Array.from({ length: size }, (_, i) => {
    let sum = 0;
    for (let s = 0; s < p.splits; s++) sum += partials[s * size + i]!;
    return sum;
  });
}

/** Sizes of a convolution from what a user would say; padding is [top, left, bottom, right]. */
export function conv(
  batch: number,
  size: readonly [number, number],
  channels: readonly [number, number],
  kernel: readonly [number, number],
  more: {
    stride?: readonly [number, number];
    dilation?: readonly [number, number];
    padding?: readonly [number, number, number, number];
    groups?: number;
  } = {},
): ConvParams {
  const [strideH, strideW] = more.stride ?? [1, 1];
  const [dilationH, dilationW] = more.dilation ?? [1, 1];
  const [padTop, padLeft, bottom, right] = more.padding ?? [0, 0, 0, 0];
  const [h, w] = size;
  const [kh, kw] = kernel;
  return {
    batch,
    h,
    w,
    inC: channels[0],
    outC: channels[1],
    kh,
    kw,
    strideH,
    strideW,
    dilationH,
    dilationW,
    padTop,
    padLeft,
    outH: Math.floor((h + padTop + bottom - (kh - 1) * dilationH - 1) / strideH) + 1,
    outW: Math.floor((w + padLeft + right - (kw - 1) * dilationW - 1) / strideW) + 1,
    groups: more.groups ?? 1,
  };
}
