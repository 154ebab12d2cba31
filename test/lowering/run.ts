/**
 * Runs one op's lowering without a device: map kernels through the expression interpreter, families by the
 * expressions that they mean. Stricter than a device: temporaries start as poison, and a load outside
 * of its buffer gives poison too, so that nothing that should not be read goes unnoticed.
 */
import type { DType, HostArray } from "@dawnstrap/tensor";
import { type NdArray, Node, type OpDef } from "@dawnstrap/tensor/extend";
import {
  type Buf,
  evaluateMap,
  familyOf,
  type FamilyKernel,
  Lowering,
  type MapKernel,
  numel,
  plainKernel,
  resetExpressions,
  wholeOf,
} from "@dawnstrap/tensor/testing";

export interface RunOptions {
  /** As of a core by default, or as of a GPU. */
  readonly like?: "cpu" | "gpu";
  readonly parallelism?: number;
}

const arrayTypes = {
  float32: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
  uint8: Uint8Array,
  bool: Uint32Array,
};

function poisoned(dtype: DType, elements: number): HostArray {
  const array = new arrayTypes[dtype](elements);
  return array.fill(dtype === "float32" ? Number.NaN : dtype === "uint8" ? 171 : 0x5abcdef);
}

/** Outputs of the op as its lowering computes them, and the number of kernels it launched. */
export function runLowered(op: OpDef, inputs: readonly NdArray[], params: unknown, options: RunOptions = {}) {
  resetExpressions();
  const limits = {
    buffersPerKernel: 8,
    bindingBytes: 2 ** 27,
    memoryBytes: 2 ** 28,
    offsetAlignment: 256,
    exclusiveWrites: true,
    parallelism: options.parallelism ?? 64,
    ...(options.like === "gpu"
      ? { vectorWidth: 64, foldRows: 4096, cacheElements: Number.POSITIVE_INFINITY }
      : { vectorWidth: 16, foldRows: 512, cacheElements: 8192 }),
  };
  const lowering = new Lowering(limits, () => 1);
  const memory = new Map<Buf, HostArray>();
  const leaves = inputs.map((x) => {
    const leaf = new Node(undefined as never, undefined, [], undefined, [x]);
    const buf = lowering.newBuf(x.dtype, numel(x.shape));
    memory.set(buf, arrayTypes[x.dtype].from(x.data));
    lowering.setBuffer(leaf, 0, buf);
    return leaf;
  });
  const outs = op.infer(inputs, params);
  const node = new Node(
    undefined as never,
    op,
    leaves.map((leaf) => ({ node: leaf, output: 0 })),
    params,
    outs,
  );
  lowering.lower(node);
  const results = outs.map((_, output) => lowering.buffer(lowering.valueOf({ node, output })));

  const whole = (buf: Buf): HostArray => {
    const at = wholeOf(buf);
    let array = memory.get(at);
    if (!array) {
      array = poisoned(at.dtype, at.numel);
      memory.set(at, array);
    }
    return array;
  };
  const arrayOf = (buf: Buf): HostArray => {
    const array = whole(buf);
    return buf.of ? new arrayTypes[buf.dtype](array.buffer as ArrayBuffer, buf.byteOffset, buf.numel) : array;
  };
  for (const call of lowering.calls) {
    if (call.spec.family === "map") {
      const kernel = call.spec as MapKernel;
      const targets = kernel.outputs.map((o) => arrayOf(o.slot as Buf));
      evaluateMap(
        kernel,
        (slot, index) => arrayOf(slot as Buf)[index] ?? Number.NaN,
        (k, index, value) => {
          if (!(index >= 0 && index < targets[k]!.length))
            throw new Error(`${op.name}: store at ${index} of ${targets[k]!.length}`);
          targets[k]![index] = value;
        },
      );
    } else {
      runFamily(
        call.spec as FamilyKernel,
        call.bindings.map((b) => arrayOf(b.buf)),
      );
    }
  }
  return {
    outputs: results.map((buf, k): NdArray => ({ ...outs[k]!, data: Float64Array.from(arrayOf(buf)) })),
    kernels: lowering.calls.length,
  };
}

/** As its family means it. The buffers are the call's, the result last. */
function runFamily(spec: FamilyKernel, buffers: readonly HostArray[]): void {
  const family = familyOf(spec)!;
  const wrong = family.refuses?.(spec.params, buffers.slice(0, -1));
  if (wrong) throw new Error(`${family.name}: ${wrong}`);
  const target = buffers.at(-1)!;
  const kernel = plainKernel(family, spec.params);
  const data = new Map([...kernel.reads, kernel.outputs[0]!.slot].map((slot, i) => [slot, buffers[i]!]));
  evaluateMap(
    kernel,
    (slot, index) => data.get(slot)![index] ?? Number.NaN,
    (_, index, value) => {
      target[index] = value;
    },
  );
}
