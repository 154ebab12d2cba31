/** A device without memory or kernels: what the planner asks of it is counted, nothing is computed. */
import type { Backend, DeviceLimits, PreparedProgram } from "../../packages/tensor/src/devices/device.js";
import type { BoundCall, Memory } from "../../packages/tensor/src/graph/program.js";

export class CountingBackend implements Backend {
  readonly description = "counts";
  readonly counters = { kernels: 0, dispatches: 0, submits: 0, buffers: 0, bindGroups: 0 };
  /** Of the program that was prepared last. */
  calls = 0;

  constructor(readonly limits: DeviceLimits) {}

  allocate(bytes: number): Memory {
    return { bytes };
  }
  free(): void {}
  write(): void {}
  copy(): void {}
  async read(_memory: Memory, _byteOffset: number, bytes: number): Promise<ArrayBuffer> {
    return new ArrayBuffer(bytes);
  }
  async prepare(calls: readonly BoundCall[]): Promise<PreparedProgram> {
    this.calls = calls.length;
    return { run: () => {}, release: () => {} };
  }
  async idle(): Promise<void> {}
  async destroy(): Promise<void> {}
}
