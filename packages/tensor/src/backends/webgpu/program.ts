/** Programs whose kernels are compiled and whose bindings are made. */
import { DeviceError } from "../../errors.js";
import type { BoundCall } from "../../program.js";
import type { Variant } from "../../kernels/wgsl/index.js";
import type { PreparedProgram } from "../../program.js";
import type { Health } from "./health.js";
import { gpuMemory, roundUp } from "./memory.js";
import { type CompiledKernel, label, type Pipelines } from "./pipelines.js";

export interface Runtime {
  readonly device: GPUDevice;
  readonly health: Health;
  readonly pipelines: Pipelines;
  readonly counters: { dispatches: number; submits: number; bindGroups: number };
  /** Dispatches per submit: work starts when it is submitted, not when it is encoded. */
  readonly chunk: number;
}

export async function prepare(
  runtime: Runtime,
  calls: readonly BoundCall[],
  onProgress?: (done: number, total: number) => void,
  variant?: Variant,
): Promise<PreparedProgram> {
  for (const call of calls) assertNoConflict(call);
  let done = 0;
  const kernels = await Promise.all(
    calls.map(async (call) => {
      const kernel = await runtime.pipelines.get(call, variant);
      onProgress?.(++done, calls.length);
      return kernel;
    }),
  );
  runtime.health.assertAlive();
  runtime.device.pushErrorScope("validation");
  const groups = new Map<string, GPUBindGroup>();
  const bindGroups = calls.map((call, k) => bindGroup(runtime, call, kernels[k]!, groups));
  const error = await runtime.device.popErrorScope();
  if (error) throw new DeviceError(`internal: bindings refused: ${error.message}`);
  return new GpuProgram(runtime, kernels, bindGroups);
}

class GpuProgram implements PreparedProgram {
  constructor(
    private readonly runtime: Runtime,
    private kernels: readonly CompiledKernel[],
    private bindGroups: readonly GPUBindGroup[],
  ) {}

  run(): void {
    const { device, health, counters, chunk } = this.runtime;
    health.assertAlive();
    const { kernels, bindGroups } = this;
    for (let start = 0; start < kernels.length; start += chunk) {
      const end = Math.min(kernels.length, start + chunk);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      let pipeline: GPUComputePipeline | undefined;
      for (let k = start; k < end; k++) {
        const kernel = kernels[k]!;
        if (kernel.pipeline !== pipeline) {
          pipeline = kernel.pipeline;
          pass.setPipeline(pipeline);
        }
        pass.setBindGroup(0, bindGroups[k]!);
        const groups = kernel.workgroups;
        pass.dispatchWorkgroups(groups[0], groups[1], groups[2]);
      }
      pass.end();
      device.queue.submit([encoder.finish()]);
      counters.submits++;
    }
    counters.dispatches += kernels.length;
  }

  release(): void {
    this.kernels = [];
    this.bindGroups = [];
  }
}

function bindGroup(
  runtime: Runtime,
  call: BoundCall,
  kernel: CompiledKernel,
  cache: Map<string, GPUBindGroup>,
): GPUBindGroup {
  const resources = call.bindings.map(({ memory, byteOffset, bytes }) => {
    const { buffer } = gpuMemory(memory);
    // Vector loads read up to the next multiple of 16; allocations are padded to it.
    return { buffer, offset: byteOffset, size: Math.min(roundUp(bytes, 16), buffer.size - byteOffset) };
  });
  const key = [
    kernel.layout.label,
    ...resources.map((r) => `${idOf(r.buffer)}+${r.offset}:${r.size}`),
  ].join();
  let group = cache.get(key);
  if (!group) {
    group = runtime.device.createBindGroup({
      label: label(call),
      layout: kernel.layout,
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
    runtime.counters.bindGroups++;
    cache.set(key, group);
  }
  return group;
}

let buffers = 0;
const ids = new WeakMap<GPUBuffer, number>();
function idOf(buffer: GPUBuffer): number {
  let id = ids.get(buffer);
  if (id === undefined) {
    id = buffers++;
    ids.set(buffer, id);
  }
  return id;
}

/** WebGPU refuses a buffer that a dispatch both reads and writes, whichever parts of it; the planner must not ask for it. */
function assertNoConflict(call: BoundCall): void {
  for (const [i, a] of call.bindings.entries()) {
    for (const b of call.bindings.slice(0, i)) {
      if (a.memory !== b.memory || (a.access === "read" && b.access === "read")) continue;
      const overlap = a.byteOffset < b.byteOffset + b.bytes && b.byteOffset < a.byteOffset + a.bytes;
      if (a.access === "read" || b.access === "read" || overlap)
        throw new DeviceError(
          `internal: ${label(call)} binds one buffer twice: ${b.access} at ${b.byteOffset} (${b.bytes} bytes) and ` +
            `${a.access} at ${a.byteOffset} (${a.bytes} bytes)`,
        );
    }
  }
}
