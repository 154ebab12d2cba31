/** Reuse of device memory. */
import { DeviceError } from "../errors.js";
import type { Backend, Memory } from "../program.js";

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
