/**
 * `@dawnstrap/tensor/testing`: what tests and benchmarks of ops and kernels share: drawing shapes and values, comparing
 * arrays, and the engine's inner parts. Knows no test framework; no part of it is covered by semantic versioning.
 */
import type { DType } from "./dtype.js";
import type { NdArray, Sampler, TensorSpec } from "./op.js";
import { numel } from "./shape.js";

export { openCpu, type CpuBackend, type CpuOptions } from "./backends/cpu/backend.js";
export * as control from "./backends/cpu/control.js";
export { Heap } from "./backends/cpu/memory.js";
export { createRunner, workerMain } from "./backends/cpu/runner.js";
export { type KernelStyle, openWebGpu, type WebGpuBackend } from "./backends/webgpu/index.js";
export type { Backend, PreparedProgram } from "./program.js";
export { storageBytes } from "./dtype.js";
export { evaluateMap, evaluateMapOn } from "./expr/evaluate.js";
export { resetExpressions } from "./expr/expr.js";
export type { Expr, Index, Slot } from "./expr/expr.js";
export { type ConvParams, convolution } from "./families/convolution.js";
export {
  bindingsOf,
  type Family,
  families,
  familyOf,
  kernelOf,
  plainKernel,
} from "./families/family.js";
export { type GemmParams, product } from "./families/gemm.js";
export { conv2d, conv2dInputGrad, conv2dWeightGrad, gemm, scatterAdd } from "./families/index.js";
export { noise } from "./families/noise.js";
export { addShares, inputsOf, oracleOf } from "./families/oracle.js";
export { buildProgram } from "./graph/build.js";
export { Lowering, wholeOf } from "./graph/lowering.js";
export { compileWasm } from "./kernels/wasm/index.js";
export { baseLimits, compileWgsl, productOf, type Variant, variantsOf } from "./kernels/wgsl/index.js";
export { tileShapes } from "./kernels/wgsl/products/tiles.js";
export { erf } from "./ops/shared/float64.js";
export type { Access, BoundCall, Buf, FamilyKernel, KernelSpec, MapKernel, Memory } from "./program.js";
export { numel } from "./shape.js";
export { type Choice, Choices } from "./tune/choices.js";
export { classOf, generatorHash } from "./tune/key.js";
export { platform } from "#platform";
export type { TuneStore } from "./platform.js";
export type { Tunable, TuneTarget } from "./tune/trial.js";
export { Tuner } from "./tune/tuner.js";

/** Uniform numbers in [0, 1), the same for the same seed (Mulberry32, Tommy Ettinger, public domain). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Extents at which tiles, vectors and groups of four end, and their neighbours. */
const extents = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 257];

/** A sampler over one source of whole numbers, both ends included: fast-check's, or a seeded generator's. */
export function samplerOf(int: (lo: number, hi: number) => number): Sampler {
  return {
    int,
    pick: (items) => items[int(0, items.length - 1)]!,
    bool: () => int(0, 1) === 1,
    shape({ rank = [0, 4], max = 600 } = {}) {
      const shape: number[] = [];
      for (let k = int(rank[0], rank[1]); k > 0; k--) {
        const room = Math.floor(max / numel(shape));
        const most = extents.findLastIndex((d) => d <= room);
        // Later axes are drawn from small extents too, so that ranks above 2 are not mostly ones.
        shape.push(extents[int(0, int(0, 1) ? most : Math.min(most, 8))]!);
      }
      // Large extents anywhere, not first only.
      if (shape.length > 1 && int(0, 1)) shape.reverse();
      return shape;
    },
  };
}

const unsigned = (dtype: DType): boolean => dtype === "uint32" || dtype === "uint8" || dtype === "bool";

/** Values as a spec asks for them: what the dtype can hold, so that a device gets exactly what the reference gets. */
export function drawValues(spec: TensorSpec, next: () => number): NdArray {
  const { shape, dtype = "float32", range = [-2, 2], avoid = [], distinct } = spec;
  const n = numel(shape);
  const hi = range[1];
  const lo = unsigned(dtype) ? Math.max(0, range[0]) : range[0];
  if (dtype === "bool") return { shape, dtype, data: new Float64Array(n).map(() => +(next() < 0.5)) };
  if (dtype !== "float32") {
    return { shape, dtype, data: new Float64Array(n).map(() => lo + Math.floor(next() * (hi - lo + 1))) };
  }
  const free = (v: number): boolean => avoid.every((a) => Math.abs(v - a) >= 0.05);
  const draw = (): number => {
    for (let tries = 0; tries < 1000; tries++) {
      const v = Math.fround(lo + next() * (hi - lo));
      if (free(v)) return v;
    }
    throw new Error(`no value in [${range}] keeps its distance from [${avoid}]`);
  };
  if (!distinct) return { shape, dtype, data: new Float64Array(n).map(draw) };
  const lattice = Array.from({ length: n }, (_, i) => Math.fround(lo + ((hi - lo) * (i + 0.5)) / n));
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [lattice[i], lattice[j]] = [lattice[j]!, lattice[i]!];
  }
  return { shape, dtype, data: Float64Array.from(lattice) };
}

/**
 * The element that differs most, if any differs by more than `tolerance` of its size, or of the largest finite
 * element's (or of 1, where all are smaller): what cancels to nearly 0 was made of larger numbers.
 */
export function mismatch(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): { index: number; actual: number; expected: number; error: number } | undefined {
  if (actual.length !== expected.length)
    return { index: -1, actual: actual.length, expected: expected.length, error: Infinity };
  let scale = 1;
  for (let i = 0; i < expected.length; i++) {
    const size = Math.abs(expected[i]!);
    if (size > scale && size < Infinity) scale = size;
  }
  let worst: ReturnType<typeof mismatch>;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) continue;
    const difference = Math.abs(a - e) / scale;
    const error = Number.isNaN(difference) ? Infinity : difference;
    if (error > tolerance && error > (worst?.error ?? 0)) worst = { index: i, actual: a, expected: e, error };
  }
  return worst;
}
