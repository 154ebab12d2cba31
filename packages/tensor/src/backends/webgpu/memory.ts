/** Device memory, and the staging buffers through which it is read. */
import { DeviceError } from "../../errors.js";
import type { Memory } from "../../program.js";

/** GPUBufferUsage and GPUMapMode; Node has no such globals. */
export const usage = {
  mapRead: 0x1,
  copySrc: 0x4,
  copyDst: 0x8,
  storage: 0x80,
  queryResolve: 0x200,
} as const;
export const mapModeRead = 0x1;

export class GpuMemory implements Memory {
  constructor(
    readonly bytes: number,
    readonly buffer: GPUBuffer,
  ) {}
}

export function gpuMemory(memory: Memory): GpuMemory {
  if (!(memory instanceof GpuMemory))
    throw new DeviceError("internal: this memory belongs to another device");
  return memory;
}

export const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

/** Mappable buffers, reused by size class, so that steady read-backs allocate nothing. */
export class StagingPool {
  private readonly idle = new Map<number, GPUBuffer[]>();

  constructor(
    private readonly device: GPUDevice,
    private readonly counters: { buffers: number },
  ) {}

  take(bytes: number): GPUBuffer {
    const size = sizeClass(bytes);
    const found = this.idle.get(size)?.pop();
    if (found) return found;
    this.counters.buffers++;
    return this.device.createBuffer({ label: "staging", size, usage: usage.mapRead | usage.copyDst });
  }

  give(buffer: GPUBuffer): void {
    // A rare large read-back should not stay resident for good.
    if (buffer.size > 64 * 1024 * 1024) {
      buffer.destroy();
      return;
    }
    const list = this.idle.get(buffer.size);
    if (list) list.push(buffer);
    else this.idle.set(buffer.size, [buffer]);
  }

  destroy(): void {
    for (const list of this.idle.values()) for (const buffer of list) buffer.destroy();
    this.idle.clear();
  }
}

/** Powers of two; above 64 MiB the size itself. */
const sizeClass = (bytes: number): number =>
  bytes > 64 * 1024 * 1024 ? roundUp(bytes, 4) : 2 ** Math.max(8, Math.ceil(Math.log2(bytes)));
