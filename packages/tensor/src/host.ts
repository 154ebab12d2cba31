/** Conversions between host arrays and elements of a dtype. */
import type { DType, HostArray, HostArrayOf } from "./dtype.js";
import { ShapeError } from "./errors.js";

/** A number, or arrays of arrays … of numbers or booleans. */
export type Nested = number | boolean | readonly Nested[];

export function flattenNested(data: HostArray | Nested): { data: HostArray | number[]; shape: number[] } {
  if (ArrayBuffer.isView(data)) return { data, shape: [data.length] };
  const shape: number[] = [];
  for (let level: Nested = data; Array.isArray(level); level = level[0] as Nested) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const flat: number[] = [];
  const walk = (value: Nested, depth: number): void => {
    if (!Array.isArray(value)) {
      if (depth !== shape.length) throw new ShapeError("tensor", "nested arrays are of unequal depth");
      flat.push(Number(value));
      return;
    }
    if (depth >= shape.length || value.length !== shape[depth])
      throw new ShapeError(
        "tensor",
        `nested arrays are ragged: ${value.length} elements at depth ${depth}`,
        `the first array there has ${shape[depth] ?? 0}`,
      );
    for (const v of value) walk(v, depth + 1);
  };
  walk(data, 0);
  return { data: flat, shape };
}

/**
 * Host data as the array that device memory wants: bools widened to 32-bit words, other numbers converted. With
 * `wide` (the reference device), float32 tensors keep float64 data.
 */
export function fromHost(
  data: HostArray | number[],
  dtype: DType | undefined,
  wide: boolean,
): { array: HostArray; type: DType } {
  const type: DType =
    dtype ??
    (data instanceof Int32Array
      ? "int32"
      : data instanceof Uint32Array
        ? "uint32"
        : data instanceof Uint8Array
          ? "uint8"
          : "float32");
  switch (type) {
    case "float32": {
      if (data instanceof Float32Array) return { array: data, type };
      return { array: wide ? Float64Array.from(data) : Float32Array.from(data), type };
    }
    case "int32":
      return { array: data instanceof Int32Array ? data : Int32Array.from(data), type };
    case "uint32":
      return { array: data instanceof Uint32Array ? data : Uint32Array.from(data), type };
    case "uint8":
      return { array: data instanceof Uint8Array ? data : Uint8Array.from(data), type };
    case "bool":
      return { array: Uint32Array.from(data, (v) => (v ? 1 : 0)), type };
  }
}

/** Raw device words as an array of their type. */
export function wordsOf(dtype: DType, raw: ArrayBuffer): HostArray {
  if (dtype === "float32") return new Float32Array(raw);
  if (dtype === "int32") return new Int32Array(raw);
  return dtype === "uint8" ? new Uint8Array(raw) : new Uint32Array(raw);
}

/** Elements as the typed array that users get. */
export function toHost(dtype: DType, data: ArrayLike<number>): HostArrayOf[DType] {
  switch (dtype) {
    case "float32":
      return data instanceof Float32Array ? data : Float32Array.from(data);
    case "int32":
      return data instanceof Int32Array ? data : Int32Array.from(data);
    case "uint32":
      return data instanceof Uint32Array ? data : Uint32Array.from(data);
    case "uint8":
      return data instanceof Uint8Array ? data : Uint8Array.from(data);
    case "bool":
      return Uint8Array.from(data, (v) => (v ? 1 : 0));
  }
}
