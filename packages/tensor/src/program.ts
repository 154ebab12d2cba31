/**
 * A program: what the planner hands to a device. Kernels in it know buffers and numbers, no graph and no device;
 * devices know kernels, no ops.
 */
import type { DType } from "./dtype.js";
import type { Slot } from "./expr/expr.js";
import type { MapKernel } from "./expr/map-kernel.js";

export type { MapKernel };

/**
 * A logical buffer while a program is being built: whole, or a window on another one (offset in bytes).
 * The planner gives whole buffers their place in device memory afterwards.
 */
export interface Buf extends Slot {
  readonly dtype: DType;
  readonly numel: number;
  /** Set for a window. Windows of windows are flattened. */
  readonly of?: Buf;
  readonly byteOffset: number;
}

/** A kernel of a family of families/, by name, with its parameters. They are plain JSON: the cache key. */
export interface FamilyKernel {
  readonly family: string;
  // biome-ignore lint/suspicious/noExplicitAny: the family of the name knows the type
  readonly params: any;
}

export type KernelSpec = MapKernel | FamilyKernel;

export type Access = "read" | "write" | "update";

/** What a generator is told of a buffer. */
export interface Binding {
  readonly dtype: DType;
  readonly access: Access;
  readonly bytes: number;
}

/** One kernel launch. Bindings stand in the kernel's binding order: reads, then updates, then writes. */
export interface Call {
  readonly key: string;
  readonly spec: KernelSpec;
  readonly bindings: readonly { readonly buf: Buf; readonly access: Access }[];
}

/** A piece of device memory: an arena, a tensor's own storage. Devices subclass it. */
export interface Memory {
  readonly bytes: number;
}

/** A program bound to memory, ready to be prepared and run by a device. */
export interface BoundCall {
  readonly key: string;
  readonly spec: KernelSpec;
  readonly bindings: readonly (Binding & {
    readonly memory: Memory;
    readonly byteOffset: number;
  })[];
}

// ---------------------------------------------------------------- what runs programs

export type DeviceKind = "webgpu" | "cpu" | "reference";

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
  /** Work items side by side that read neighbouring memory well: lanes of a vector, of a subgroup. */
  readonly vectorWidth: number;
  /** Rows that one work item may fold while its neighbours share the cache lines that it reads. */
  readonly foldRows: number;
  /** Elements of 4 bytes that a work item's own cache holds, where what it walks more than once should fit; else Infinity. */
  readonly cacheElements: number;
}

/** A sequence of calls whose kernels are compiled and whose bindings are made; running it allocates nothing. */
export interface PreparedProgram {
  /** Enqueues (GPU) or executes (CPU) every call in order. */
  run(): void;
  /** Frees what preparing made (bind groups); kernels stay in the device's cache. */
  release(): void;
}

/** The narrow interface between the planner and what runs programs. */
export interface Backend {
  readonly limits: DeviceLimits;
  /** A line for reports, such as "llvmpipe (LLVM 19.1.7, 256 bits), Dawn". */
  readonly description: string;
  /** See Device.kernels. */
  readonly kernels: string;
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
