/** Where a computed value lives. */
import { type DType, storageBytes } from "../dtype.js";
import { DeviceError } from "../errors.js";
import type { NdArray } from "../graph-op.js";
import type { DeviceLimits, Memory } from "../program.js";
import type { Pool } from "./pool.js";

/**
 * A computed value. Storages of variables and of captured programs' outputs are overwritten by later steps: `version`
 * counts the writes, and a handle that remembers an older version is refused instead of read wrong.
 */
export abstract class Storage {
  version = 0;
  /** Set when the value was given up. */
  released = false;
  /** Why the program that was to write this value did not finish. */
  failure?: unknown;

  constructor(
    readonly dtype: DType,
    readonly numel: number,
    /** Who overwrites this storage, for the message of a stale handle; undefined for immutable results. */
    readonly writer?: string,
  ) {}
}

/** Counts the results that live in one piece of memory; at zero it goes back to the pool. */
export interface Lease {
  holders: number;
}

/** A value in device memory. */
export class MemoryStorage extends Storage {
  constructor(
    dtype: DType,
    elements: number,
    readonly memory: Memory,
    readonly byteOffset: number,
    /** Shared by all storages in one piece of memory; undefined where the memory is never given back (variables, captured outputs). */
    readonly lease?: Lease,
    writer?: string,
  ) {
    super(dtype, elements, writer);
  }
}

/** A value of the reference device: an array of float64. */
export class ArrayStorage extends Storage {
  array?: NdArray;
}

/** A storage of a device that runs kernels: all of its storages are in memory. */
export const inMemory = (storage: Storage): MemoryStorage => storage as MemoryStorage;

/** Gives up one hold on a storage's memory; the last one returns it to the pool. */
export function dropHold({ lease, memory }: MemoryStorage, pool: Pool): void {
  if (lease && --lease.holders === 0) pool.release(memory);
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

/** @throws DeviceError when the program that was to write this value failed */
export function refuseFailed({ failure }: Storage): void {
  if (failure === undefined) return;
  const why = failure instanceof Error ? failure.message : String(failure);
  throw new DeviceError(`this tensor was never computed, because its program failed: ${why}`, {
    cause: failure,
  });
}

/** @throws DeviceError when a value does not fit into one buffer of the device */
export function refuseTooLarge(dtype: DType, elements: number, { bindingBytes }: DeviceLimits): void {
  const bytes = elements * storageBytes[dtype];
  if (bytes > bindingBytes)
    throw new DeviceError(
      `a ${dtype} tensor of ${elements} elements takes ${bytes} bytes, more than one buffer of this device may hold (${bindingBytes}); use smaller batches or split the tensor`,
    );
}
