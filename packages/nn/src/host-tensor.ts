/** Arrays on the host, and variables on a device as such: the one way for state to go in and out. */
import type { DType, Variable } from "@dawnstrap/tensor";

/** An array on the host with its shape: what state dicts hold. */
export interface HostTensor {
  /** int64 occurs in files only (PyTorch's `num_batches_tracked`); no device holds it. */
  readonly dtype: "float32" | "int32" | "uint32" | "uint8" | "int64";
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint32Array | Uint8Array | BigInt64Array;
}

/** The type that holds a dtype's elements in a file: bools are bytes. */
export const stored = (dtype: DType): HostTensor["dtype"] => (dtype === "bool" ? "uint8" : dtype);

/** A variable's value, with its own dtype. */
export async function readVariable({ value }: Variable): Promise<HostTensor> {
  const { dtype, shape } = value;
  return { dtype: stored(dtype), shape, data: await value.data() };
}

/** Gives a variable a value of its shape and dtype. */
export function assignVariable(variable: Variable, { data, shape }: HostTensor): void {
  const elements = data as Exclude<HostTensor["data"], BigInt64Array>;
  variable.assign(variable.device.tensor(elements, shape, variable.dtype));
}
