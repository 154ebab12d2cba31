/** Runs one kernel on a device, over host arrays. */
import type { DType, HostArray } from "@dawnstrap/tensor";
import {
  type Access,
  type Backend,
  type BoundCall,
  type KernelSpec,
  type PreparedProgram,
  storageBytes,
} from "@dawnstrap/tensor/testing";

export interface HostBinding {
  readonly dtype: DType;
  readonly access: Access;
  readonly data: HostArray;
}

let calls = 0;

/** Returns the bindings' contents afterwards, in their order. Bools are given and returned as 0 and 1 in a Uint32Array. */
export async function runKernel(
  backend: Backend,
  spec: KernelSpec,
  bindings: readonly HostBinding[],
  prepare: (call: BoundCall) => Promise<PreparedProgram> = (call) => backend.prepare([call]),
): Promise<HostArray[]> {
  const memories = bindings.map((b) => {
    const memory = backend.allocate(b.data.length * storageBytes[b.dtype]);
    backend.write(memory, 0, b.data);
    return memory;
  });
  const call: BoundCall = {
    key: spec.family === "map" ? `test ${calls++}` : JSON.stringify(spec),
    spec,
    bindings: bindings.map((b, k) => ({
      memory: memories[k]!,
      byteOffset: 0,
      bytes: b.data.length * storageBytes[b.dtype],
      dtype: b.dtype,
      access: b.access,
    })),
  };
  const program = await prepare(call);
  program.run();
  const results: HostArray[] = [];
  for (const [k, { dtype, data }] of bindings.entries()) {
    const bytes = data.length * storageBytes[dtype];
    const buffer = await backend.read(memories[k]!, 0, bytes);
    results.push(view(dtype, buffer));
  }
  program.release();
  for (const m of memories) backend.free(m);
  return results;
}

function view(dtype: DType, buffer: ArrayBuffer): HostArray {
  switch (dtype) {
    case "float32":
      return new Float32Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "uint8":
      return new Uint8Array(buffer);
    default:
      return new Uint32Array(buffer);
  }
}
