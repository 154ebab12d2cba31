/** Device memory of the CPU: one WebAssembly memory, handed out in blocks. */
import { DeviceError } from "../../errors.js";
import type { Memory } from "../../program.js";
import { RESERVED } from "./control.js";

const PAGE = 65536;
const MAX_PAGES = 65536;
const ALIGN = 256;
/** Vector loads of a buffer's last elements may reach past it: the last block must not end where the memory ends. */
const GUARD = 1024;

export class CpuMemory implements Memory {
  freed = false;
  constructor(
    readonly heap: Heap,
    readonly address: number,
    readonly bytes: number,
    /** What the block really takes. */
    readonly size: number,
  ) {}
}

/** Engines reserve addresses for the whole of a shared memory; where that much is refused, less may do. */
function sharedMemory(initial: number, maximum: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial, maximum, shared: true });
  } catch (error) {
    if (maximum > 4096) return sharedMemory(initial, maximum >> 1);
    throw new DeviceError(`cpu: the engine refuses shared memory: ${(error as Error).message}`);
  }
}

interface Hole {
  at: number;
  size: number;
}

/** A first-fit allocator over a growing WebAssembly memory; neighbouring holes join when a block is freed. */
export class Heap {
  readonly memory: WebAssembly.Memory;
  /** Sorted by address; no two touch. */
  private readonly holes: Hole[] = [];
  private end: number;
  private view: Uint8Array<ArrayBufferLike>;
  used = 0;

  constructor(
    readonly shared: boolean,
    private readonly maxPages = MAX_PAGES,
  ) {
    const initial = 16;
    this.memory = shared ? sharedMemory(initial, maxPages) : new WebAssembly.Memory({ initial });
    this.end = initial * PAGE - GUARD;
    this.holes.push({ at: RESERVED, size: this.end - RESERVED });
    this.view = new Uint8Array(this.memory.buffer);
  }

  /** What it may grow to. */
  get maxBytes(): number {
    return this.maxPages * PAGE;
  }

  /** The whole memory as bytes; valid until the next allocation. */
  get bytes(): Uint8Array<ArrayBufferLike> {
    if (this.view.buffer !== this.memory.buffer) this.view = new Uint8Array(this.memory.buffer);
    return this.view;
  }

  allocate(bytes: number): CpuMemory {
    const size = Math.max(ALIGN, Math.ceil(bytes / ALIGN) * ALIGN);
    let i = this.holes.findIndex((h) => h.size >= size);
    if (i < 0) {
      this.grow(size, bytes);
      i = this.holes.findIndex((h) => h.size >= size);
    }
    const hole = this.holes[i]!;
    const made = new CpuMemory(this, hole.at, bytes, size);
    hole.at += size;
    hole.size -= size;
    if (hole.size === 0) this.holes.splice(i, 1);
    this.used += size;
    return made;
  }

  free(block: CpuMemory): void {
    if (block.heap !== this) throw new Error("internal: a block is freed on a heap that it is not from");
    if (block.freed) throw new Error("internal: a block is freed twice");
    block.freed = true;
    this.used -= block.size;
    this.release(block.address, block.size);
  }

  private release(at: number, size: number): void {
    let i = this.holes.findIndex((h) => h.at > at);
    if (i < 0) i = this.holes.length;
    const before = this.holes[i - 1];
    const after = this.holes[i];
    const joinsBefore = before !== undefined && before.at + before.size === at;
    const joinsAfter = after !== undefined && at + size === after.at;
    if (joinsBefore) {
      before.size += size + (joinsAfter ? after.size : 0);
      if (joinsAfter) this.holes.splice(i, 1);
    } else if (joinsAfter) {
      after.at = at;
      after.size += size;
    } else this.holes.splice(i, 0, { at, size });
  }

  private grow(size: number, asked: number): void {
    const last = this.holes.at(-1);
    const tail = last && last.at + last.size === this.end ? last.size : 0;
    const now = this.memory.buffer.byteLength / PAGE;
    const needed = Math.ceil((size - tail) / PAGE);
    const fail = (): never => {
      const mib = (n: number): string => `${(n / 2 ** 20).toFixed(1)} MiB`;
      throw new DeviceError(
        `cpu: out of memory: ${mib(asked)} asked for, ${mib(this.used)} in use, ` +
          `the limit is ${mib(this.maxPages * PAGE)} (use a smaller batch, or free tensors)`,
      );
    };
    if (now + needed > this.maxPages) fail();
    // Grow by an eighth at least, so that many small requests do not grow it many times.
    const wanted = Math.min(Math.max(needed, now >> 3), this.maxPages - now);
    try {
      this.memory.grow(wanted);
    } catch {
      try {
        this.memory.grow(needed);
      } catch {
        fail();
      }
    }
    const end = this.memory.buffer.byteLength - GUARD;
    this.release(this.end, end - this.end);
    this.end = end;
  }
}
