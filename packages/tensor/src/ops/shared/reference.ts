/** Helpers of the float64 references: allocate, walk with strides, reduce along axes. Obvious before fast. */
import type { DType } from "../../dtype.js";
import type { Aval, NdArray } from "../../op.js";
import { numel, type Shape, stridesOf } from "../../shape.js";

/** What an element of the dtype can hold: integers wrap around as in device memory, bools are 0 and 1. */
export function hold(dtype: DType, v: number): number {
  switch (dtype) {
    case "float32":
      return v;
    case "int32":
      return v | 0;
    case "uint32":
      return v >>> 0;
    case "uint8":
      return v & 255;
    case "bool":
      // NaN is not zero.
      return v === 0 ? 0 : 1;
  }
}

/** An array of zeros with the shape and dtype of `aval`. */
export const zerosLike = (aval: Aval): NdArray => ({
  shape: aval.shape,
  dtype: aval.dtype,
  data: new Float64Array(numel(aval.shape)),
});

/** An array whose element at flat position i is `element(i)`. */
export function generate(aval: Aval, element: (i: number) => number): NdArray {
  const out = zerosLike(aval);
  for (let i = 0; i < out.data.length; i++) out.data[i] = hold(aval.dtype, element(i));
  return out;
}

/** Flat positions offset + Σ index·stride for every index of `shape`, in row-major order. */
export function positions(shape: Shape, strides: readonly number[], offset = 0): Int32Array {
  const out = new Int32Array(numel(shape));
  const at = new Array<number>(shape.length).fill(0);
  let p = offset;
  for (let i = 0; i < out.length; i++) {
    out[i] = p;
    for (let k = shape.length - 1; k >= 0; k--) {
      p += strides[k]!;
      if (++at[k]! < shape[k]!) break;
      p -= shape[k]! * strides[k]!;
      at[k] = 0;
    }
  }
  return out;
}

/** Strides by which an array of shape `from` is read as if it had the shape `to` that it broadcasts to. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const own = stridesOf(from);
  const lead = to.length - from.length;
  return to.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : own[i - lead]!));
}

/** Reads positions of `x` into an array like `out`. */
export function pick(x: NdArray, out: Aval, at: ArrayLike<number>): NdArray {
  return generate(out, (i) => x.data[at[i]!]!);
}

/** For each index over the kept axes (row-major), the positions that are reduced, in row-major order of the reduced axes. */
export function eachReduced(
  x: NdArray,
  axes: readonly number[],
  visit: (out: number, elements: Float64Array) => void,
): void {
  const strides = stridesOf(x.shape);
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const starts = positions(
    kept.map((i) => x.shape[i]!),
    kept.map((i) => strides[i]!),
  );
  const steps = positions(
    axes.map((i) => x.shape[i]!),
    axes.map((i) => strides[i]!),
  );
  const elements = new Float64Array(steps.length);
  for (let o = 0; o < starts.length; o++) {
    for (let r = 0; r < steps.length; r++) elements[r] = x.data[starts[o]! + steps[r]!]!;
    visit(o, elements);
  }
}
