/** Where a computed value lives, and the pool that its memory comes from. */
import type { Backend } from "../backends/backend.js";
import type { DeviceLimits } from "../backends/backend.js";
import { type DType, storageBytes } from "../dtype.js";
import { DeviceError } from "../errors.js";
import type { NdArray } from "../op.js";
import type { Memory } from "../program.js";

/** Counts the results that live in one piece of memory; at zero it goes back to the pool. */
export interface Lease {
  holders: number;
}

/**
 * A computed value. Storages of variables and of captured programs' outputs are overwritten by later steps: `version`
 * counts the writes, and a handle that remembers an older version is refused instead of read wrong.
 */
export class Storage {
  version = 0;
  /** The value itself, on the reference device. */
  array?: NdArray;
  /** Set when the memory went back to the pool. */
  released = false;
  /** Why the program that was to write this value did not finish. */
  failure?: unknown;

  constructor(
    readonly dtype: DType,
    readonly numel: number,
    readonly memory: Memory | undefined,
    readonly byteOffset: number,
    /** Shared by all storages in one piece of memory; undefined where the memory is never given back (variables, captured outputs). */
    readonly lease?: Lease,
    /** Who overwrites this storage, for the message of a stale handle; undefined for immutable results. */
    readonly writer?: string,
  ) {}
}

/** Gives up one hold on a storage's memory; the last one returns it to the pool. */
export function dropHold({ lease, memory }: Storage, pool: Pool | undefined): void {
  if (lease && --lease.holders === 0 && memory) pool!.release(memory);
}

/** Runs what writes these values; where it fails, they are refused until something else writes them. */
export function writing(storages: readonly Storage[], run: () => void): void {
  try {
    run();
    for (const storage of storages) storage.failure = undefined;
  } catch (error) {
    for (const storage of storages) storage.failure = error;
    throw error;
  }
}

/** @throws DeviceError when a value does not fit into one buffer of the device */
export function refuseTooLarge(dtype: DType, elements: number, { bindingBytes }: DeviceLimits): void {
  const bytes = elements * storageBytes[dtype];
  if (bytes > bindingBytes)
    throw new DeviceError(
      `a ${dtype} tensor of ${elements} elements takes ${bytes} bytes, more than one buffer of this device may hold (${bindingBytes}); use smaller batches or split the tensor`,
    );
}

/** Allocations are rounded up so that freed memory fits the next step's requests. */
function sizeClass(bytes: number): number {
  if (bytes <= 1024) return Math.max(256, Math.ceil(bytes / 256) * 256);
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}

/** Reuses freed memory by size class, so that a steady loop asks the device for nothing. */
export class Pool {
  private readonly idle = new Map<number, Memory[]>();
  private readonly sizes = new Map<Memory, number>();
  /** Bytes handed out now, bytes kept for reuse, and the most ever held. */
  used = 0;
  kept = 0;
  peak = 0;

  constructor(private readonly backend: Backend) {}

  allocate(bytes: number): Memory {
    if (bytes > this.backend.limits.memoryBytes)
      throw new DeviceError(
        `a buffer of ${bytes} bytes is larger than this device's limit of ${this.backend.limits.memoryBytes}; use a smaller batch or split the tensor`,
      );
    const size = Math.min(
      Math.ceil(sizeClass(bytes) / 256) * 256,
      Math.max(bytes, this.backend.limits.memoryBytes),
    );
    const list = this.idle.get(size);
    const memory = list?.pop() ?? this.backend.allocate(size);
    if (this.sizes.has(memory)) this.kept -= size;
    this.sizes.set(memory, size);
    this.used += size;
    this.peak = Math.max(this.peak, this.used + this.kept);
    return memory;
  }

  release(memory: Memory): void {
    const size = this.sizes.get(memory);
    if (size === undefined) return;
    this.used -= size;
    this.kept += size;
    const list = this.idle.get(size);
    if (list) list.push(memory);
    else this.idle.set(size, [memory]);
  }

  /** Gives idle memory back to the device. */
  trim(): void {
    for (const list of this.idle.values())
      for (const memory of list) {
        this.sizes.delete(memory);
        this.backend.free(memory);
      }
    this.idle.clear();
    this.kept = 0;
  }
}
