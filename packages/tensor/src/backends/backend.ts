/** The narrow interface between the planner and a device that runs programs. */
import type { BoundCall, Memory } from "../program.js";

export interface DeviceLimits {
  /** Buffers that one kernel may touch. */
  readonly buffersPerKernel: number;
  /** Largest single binding, in bytes; no tensor may be larger. */
  readonly bindingBytes: number;
  /** Largest single allocation, in bytes; arenas are split at it. */
  readonly memoryBytes: number;
  /** Memory in all, in bytes, where the device tells; WebGPU does not. */
  readonly totalBytes?: number;
  /** Windows into memory start at multiples of this. */
  readonly offsetAlignment: number;
  /** A kernel may not read one part of a memory and write another part of it. */
  readonly exclusiveWrites: boolean;
  /** About how many independent work items keep the device busy; reductions are split until they offer as many. */
  readonly parallelism: number;
}

/** A sequence of calls whose kernels are compiled and whose bindings are made; running it allocates nothing. */
export interface PreparedProgram {
  /** Enqueues (GPU) or executes (CPU) every call in order. */
  run(): void;
  /** Frees what preparing made (bind groups); kernels stay in the device's cache. */
  release(): void;
}

export interface Backend {
  readonly limits: DeviceLimits;
  /** A line for reports, such as "llvmpipe (LLVM 19.1.7, 256 bits), Dawn". */
  readonly description: string;
  allocate(bytes: number): Memory;
  free(memory: Memory): void;
  /** Copies host bytes into memory, ordered with the programs run before and after. */
  write(memory: Memory, byteOffset: number, data: ArrayBufferView): void;
  /** Reads memory as of the work enqueued so far. Ranges are multiples of four bytes. */
  read(memory: Memory, byteOffset: number, bytes: number): Promise<ArrayBuffer>;
  /** Copies between two memories (or disjoint ranges of one), ordered like `write`. */
  copy(from: Memory, fromOffset: number, to: Memory, toOffset: number, bytes: number): void;
  /** Compiles what is not compiled yet (in parallel where the device can) and makes the bindings. */
  prepare(
    calls: readonly BoundCall[],
    onProgress?: (done: number, total: number) => void,
  ): Promise<PreparedProgram>;
  /** Resolves when all enqueued work is done. */
  idle(): Promise<void>;
  /** Counters for tests and benchmarks. */
  readonly counters: {
    kernels: number;
    dispatches: number;
    submits: number;
    buffers: number;
    bindGroups: number;
  };
  destroy(): Promise<void>;
}
