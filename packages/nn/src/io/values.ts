/** Elements of raw tensors as numbers. */
import type { HostTensor } from "../host-tensor.js";
import type { RawTensor } from "./safetensors.js";

const dtypes = { float32: "F32", int32: "I32", uint32: "U32", uint8: "U8", int64: "I64" } as const;

export function toRaw({ dtype, shape, data }: HostTensor): RawTensor {
  return {
    dtype: dtypes[dtype],
    shape,
    bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}

/** Elements as float32 (of F64, F32, F16, BF16) or as the integer type that holds them. */
export function fromRaw(raw: RawTensor): HostTensor {
  const { dtype, shape } = raw;
  // A copy (Node's Buffer has a `slice` that is none): the bytes of a file need not be aligned, typed arrays
  // must be.
  const { buffer } = new Uint8Array(raw.bytes);
  switch (dtype) {
    case "F32":
      return { dtype: "float32", shape, data: new Float32Array(buffer) };
    case "F64":
      return { dtype: "float32", shape, data: Float32Array.from(new Float64Array(buffer)) };
    case "F16":
      return { dtype: "float32", shape, data: Float32Array.from(new Uint16Array(buffer), halfToNumber) };
    case "BF16": {
      const words = Uint32Array.from(new Uint16Array(buffer), (h) => h << 16);
      return { dtype: "float32", shape, data: new Float32Array(words.buffer) };
    }
    case "I32":
      return { dtype: "int32", shape, data: new Int32Array(buffer) };
    case "U32":
      return { dtype: "uint32", shape, data: new Uint32Array(buffer) };
    case "I16":
      return { dtype: "int32", shape, data: Int32Array.from(new Int16Array(buffer)) };
    case "U16":
      return { dtype: "int32", shape, data: Int32Array.from(new Uint16Array(buffer)) };
    case "I8":
      return { dtype: "int32", shape, data: Int32Array.from(new Int8Array(buffer)) };
    case "U8":
    case "BOOL":
      return { dtype: "uint8", shape, data: new Uint8Array(buffer) };
    case "I64":
    case "U64":
      return { dtype: "int64", shape, data: new BigInt64Array(buffer) };
  }
}

/** IEEE binary16 → number. */
function halfToNumber(h: number): number {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >> 10) & 31;
  const fraction = h & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
