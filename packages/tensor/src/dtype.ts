/** Element types of tensors and how each is stored. */
export type DType = "float32" | "int32" | "uint32" | "uint8" | "bool";

/** Types of values inside a kernel. `uint8` elements are widened to `u32` when loaded. */
export type ScalarType = "f32" | "i32" | "u32" | "bool";

/**
 * Bytes of one element in device memory. `bool` takes four, because WGSL storage has no smaller atom that can be
 * written by neighbouring invocations without a race; `uint8` is packed, because image batches cross the bus.
 */
export const storageBytes: Record<DType, number> = { float32: 4, int32: 4, uint32: 4, uint8: 1, bool: 4 };

/** The kernel type that an element of each dtype becomes when it is loaded. */
export const scalarOf: Record<DType, ScalarType> = {
  float32: "f32",
  int32: "i32",
  uint32: "u32",
  uint8: "u32",
  bool: "bool",
};

export const isFloat = (dtype: DType): boolean => dtype === "float32";

/** Host arrays: what `data()` returns and `tensor()` accepts. */
export type HostArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/**
 * The dtype that a binary operation computes in: equal types stay; a bool or uint8 gives way to a wider type;
 * anything beside float32 becomes float32.
 */
export function promote(a: DType, b: DType): DType {
  if (a === b) return a;
  const order: DType[] = ["bool", "uint8", "uint32", "int32", "float32"];
  return order[Math.max(order.indexOf(a), order.indexOf(b))]!;
}

/** JavaScript values that `data` and friends return, per dtype. */
export interface HostArrayOf {
  float32: Float32Array;
  int32: Int32Array;
  uint32: Uint32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}
