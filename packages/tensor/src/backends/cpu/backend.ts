/** The CPU device: generated WebAssembly over one memory, shared by as many threads as there are cores. */
import { platform } from "#platform";
import { DeviceError } from "../../errors.js";
import type { BoundCall, Memory } from "../../program.js";
import { hasRelaxedMadd, hasSimd, isMultiplyAddFused } from "../../kernels/wasm/assembler/features.js";
import { compileWasm, type CompiledWasm, type WasmOptions } from "../../kernels/wasm/index.js";
import type { Backend, DeviceLimits, PreparedProgram } from "../../program.js";
import { CONTROL_WORDS, MAX_THREADS, SCRATCH } from "./control.js";
import { type CpuMemory, Heap } from "./memory.js";
import { WorkerPool } from "./pool.js";
import { CpuProgram, type LoadedKernel } from "./program.js";
import { createRunner, type Kernel, type Runner } from "./runner.js";

export interface CpuOptions {
  /** Threads, the calling one included. Default: one per core. */
  readonly threads?: number;
  /** Whether memory is shared between threads. Default: where the platform allows it. */
  readonly shared?: boolean;
  /** Upper bound of the memory, in bytes (at most 4 GiB, the default). */
  readonly maxBytes?: number;
  /** Sum up the time of each kernel; see CpuBackend.profile. */
  readonly profile?: boolean;
  /**
   * Whether convolutions with 3×3 windows and stride 1 use Winograd's algorithm: wherever it fits, or nowhere. Its
   * rounding errors are one to four times the direct sum's. Default: where it is faster.
   */
  readonly winograd?: boolean;
}

const GIB = 2 ** 30;
/** Milliseconds after which a worker that does not arrive is taken to have ended. */
const PATIENCE = 120_000;

export async function openCpu(options: CpuOptions = {}): Promise<CpuBackend> {
  if (!hasSimd())
    throw new DeviceError("cpu: this JavaScript engine has no WebAssembly SIMD (use a newer engine)");
  const { threads: asked } = options;
  if (asked !== undefined && (!Number.isInteger(asked) || asked < 1 || asked > MAX_THREADS))
    throw new DeviceError(`cpu: threads is ${asked} (use a whole number from 1 to ${MAX_THREADS})`);
  const shared = options.shared ?? (typeof SharedArrayBuffer !== "undefined" && platform.sharesMemory);
  let threads = shared ? Math.min(asked ?? platform.cores, MAX_THREADS) : 1;
  const heap = new Heap(shared, Math.min(65536, Math.floor((options.maxBytes ?? 4 * GIB) / 65536)));
  let pool: WorkerPool | undefined;
  try {
    if (threads > 1) pool = await WorkerPool.start(threads - 1, heap.memory, controlOf(heap));
  } catch (error) {
    // A page's security policy may forbid workers made from text. One thread needs none.
    if (asked !== undefined) throw error;
    threads = 1;
  }
  return new CpuBackend(heap, pool, threads, options);
}

/** Views of a memory that is not shared die when it grows; but there nobody else reads the words. */
const controlOf = (heap: Heap): Int32Array =>
  heap.shared ? new Int32Array(heap.memory.buffer, 0, CONTROL_WORDS) : new Int32Array(CONTROL_WORDS);

export class CpuBackend implements Backend {
  readonly limits: DeviceLimits;
  readonly counters = { kernels: 0, dispatches: 0, submits: 0, buffers: 0, bindGroups: 0 };
  readonly description: string;
  readonly kernels: string;
  readonly runner: Runner;
  readonly control: Int32Array;
  /** Nanoseconds and runs of each kernel key, where profiling was asked for. */
  readonly profile = new Map<string, { nanoseconds: number; runs: number }>();
  private readonly loaded = new Map<string, LoadedKernel>();
  private readonly scratch: CpuMemory[] = [];
  private readonly options: WasmOptions;
  readonly profiling: boolean;
  private destroyed = false;

  constructor(
    readonly heap: Heap,
    readonly pool: WorkerPool | undefined,
    readonly threads: number,
    asked: CpuOptions,
  ) {
    this.limits = {
      buffersPerKernel: 32,
      bindingBytes: GIB,
      memoryBytes: GIB,
      totalBytes: heap.maxBytes,
      offsetAlignment: 256,
      exclusiveWrites: false,
      parallelism: 256,
      vectorWidth: 16,
      foldRows: 512,
      // Half of a first-level cache.
      cacheElements: 8192,
    };
    this.control = controlOf(heap);
    this.profiling = asked.profile ?? false;
    const { winograd } = asked;
    const chosen = winograd === undefined ? {} : { winograd };
    this.options = { shared: heap.shared, madd: hasRelaxedMadd(), threads, ...chosen };
    this.runner = createRunner(this.control, 0, threads, platform.mayBlock, PATIENCE);
    const rounding = isMultiplyAddFused() ? "fused multiply-add" : "products and sums rounded apart";
    this.kernels = `WebAssembly SIMD, ${rounding}${winograd === undefined ? "" : `, winograd ${winograd}`}`;
    const memory = heap.shared ? "shared memory" : "private memory";
    this.description = `WebAssembly SIMD, ${threads} thread${threads > 1 ? "s" : ""}, ${memory}`;
  }

  allocate(bytes: number): CpuMemory {
    this.alive();
    if (bytes > this.limits.memoryBytes)
      throw new DeviceError(
        `cpu: an allocation of ${bytes} bytes is above the limit of ${this.limits.memoryBytes}`,
      );
    this.counters.buffers++;
    return this.heap.allocate(bytes);
  }

  free(memory: Memory): void {
    if (!this.destroyed) this.heap.free(memory as CpuMemory);
  }

  write(memory: Memory, byteOffset: number, data: ArrayBufferView): void {
    const at = this.range(memory, byteOffset, data.byteLength);
    this.heap.bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
  }

  async read(memory: Memory, byteOffset: number, bytes: number): Promise<ArrayBuffer> {
    const at = this.range(memory, byteOffset, bytes);
    const out = new Uint8Array(bytes);
    out.set(this.heap.bytes.subarray(at, at + bytes));
    return out.buffer;
  }

  copy(from: Memory, fromOffset: number, to: Memory, toOffset: number, bytes: number): void {
    const source = this.range(from, fromOffset, bytes);
    this.heap.bytes.copyWithin(this.range(to, toOffset, bytes), source, source + bytes);
  }

  async prepare(
    calls: readonly BoundCall[],
    onProgress?: (done: number, total: number) => void,
  ): Promise<PreparedProgram> {
    this.alive();
    const keys = calls.map(
      (call) => `${call.key}|${call.bindings.map((b) => `${b.dtype}${b.bytes}`).join()}`,
    );
    const missing = new Map<string, BoundCall>();
    calls.forEach((call, i) => {
      if (!this.loaded.has(keys[i]!)) missing.set(keys[i]!, call);
    });
    let done = 0;
    const made = await Promise.all(
      [...missing].map(async ([key, call]) => {
        const compiled = compileWasm(call.spec, call.bindings, this.options);
        const module = await this.compile(call, compiled);
        onProgress?.(++done, missing.size);
        return { key, compiled, module };
      }),
    );
    // Nothing is awaited between here and the message to the workers, so indices agree on all threads.
    const first = this.runner.kernels.length;
    const fresh = made.filter(({ key }) => !this.loaded.has(key));
    fresh.forEach(({ key, compiled, module }) => {
      const instance = new WebAssembly.Instance(module, { env: { memory: this.heap.memory } });
      const index = this.runner.kernels.push(instance.exports["run"] as Kernel) - 1;
      const { units, unitCost, claimCost = 0 } = compiled;
      this.loaded.set(key, { index, units, unitCost, claimCost });
      this.counters.kernels++;
    });
    this.reserveScratch(Math.max(0, ...made.map((m) => m.compiled.scratchBytes)));
    if (fresh.length && this.pool)
      await this.pool.send({ kind: "kernels", first, modules: fresh.map((m) => m.module) });
    this.alive();
    this.counters.bindGroups += calls.length;
    return CpuProgram.make(
      this,
      calls,
      keys.map((k) => this.loaded.get(k)!),
    );
  }

  private async compile(call: BoundCall, compiled: CompiledWasm): Promise<WebAssembly.Module> {
    try {
      return await WebAssembly.compile(compiled.bytes);
    } catch (error) {
      throw new DeviceError(`cpu: kernel ${call.key} was refused by the engine: ${(error as Error).message}`);
    }
  }

  /** Every thread gets a private stretch, as large as any kernel so far has asked for. */
  private reserveScratch(bytes: number): void {
    if (bytes <= (this.scratch[0]?.bytes ?? 0)) return;
    for (const old of this.scratch.splice(0)) this.heap.free(old);
    for (let t = 0; t < this.threads; t++) {
      const block = this.heap.allocate(bytes);
      this.scratch.push(block);
      this.control[SCRATCH + t] = block.address;
    }
  }

  /** Tells the workers that a program will not run again. */
  forget(program: number): void {
    if (!this.destroyed) this.pool?.send({ kind: "release", id: program }).catch(() => undefined);
  }

  private range(memory: Memory, offset: number, bytes: number): number {
    const block = memory as CpuMemory;
    if (block.freed || offset < 0 || offset + bytes > block.size)
      throw new Error(
        `internal: bytes ${offset} … ${offset + bytes} of a block of ${block.bytes}${block.freed ? ", freed" : ""}`,
      );
    return block.address + offset;
  }

  private alive(): void {
    if (this.destroyed) throw new DeviceError("cpu: the device was destroyed");
  }

  async idle(): Promise<void> {}

  async destroy(): Promise<void> {
    if (this.destroyed) return;
    this.destroyed = true;
    await this.pool?.terminate();
  }
}
