/** Arrays on the host. */

/** An array on the host with its shape: what state dicts hold. */
export interface HostTensor {
  /** int64 occurs in files only (PyTorch's `num_batches_tracked`); no device holds it. */
  readonly dtype: "float32" | "int32" | "uint32" | "uint8" | "int64";
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint32Array | Uint8Array | BigInt64Array;
}
