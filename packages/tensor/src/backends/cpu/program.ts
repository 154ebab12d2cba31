/** A program prepared for the CPU: a flat list of steps that all threads walk together. */
import { DeviceError } from "../../errors.js";
import type { Backend, BoundCall, PreparedProgram } from "../../program.js";
import { COUNTER, FAILED, PROGRAM, RUNS, STEP } from "./control.js";
import type { CpuMemory, Heap } from "./memory.js";
import type { WorkerPool } from "./pool.js";
import type { Runner } from "./runner.js";

export interface LoadedKernel {
  readonly index: number;
  readonly units: number;
  readonly unitCost: number;
  readonly claimCost: number;
}

/** What a program needs of the backend that prepares it. */
export interface CpuEngine extends Pick<Backend, "counters" | "free"> {
  readonly heap: Heap;
  readonly pool: WorkerPool | undefined;
  readonly threads: number;
  readonly runner: Runner;
  readonly control: Int32Array;
  readonly profiling: boolean;
  readonly profile: Map<string, { nanoseconds: number; runs: number }>;
  /** Has the workers forget a program. */
  forget(id: number): void;
}

/** Work below this stays on the calling thread: sharing costs a barrier (about 2 µs) and cold caches. */
const SHARE_ABOVE_NS = 12_000;
/** Blocks that each thread claims of a shared kernel: more of them balance better, fewer repeat less packing. */
const CLAIMS_PER_THREAD = 4;
/** What packing may cost of a kernel's time. */
const CLAIM_SHARE = 0.06;

function claimSize(k: LoadedKernel, threads: number): number {
  const affordable = k.claimCost
    ? (CLAIM_SHARE * k.units * k.unitCost) / (threads * k.claimCost)
    : CLAIMS_PER_THREAD;
  const claims = Math.max(1, Math.min(CLAIMS_PER_THREAD, Math.floor(affordable)));
  return Math.ceil(k.units / (threads * claims));
}

let nextId = 1;

export class CpuProgram implements PreparedProgram {
  private released = false;
  private constructor(
    private readonly backend: CpuEngine,
    private readonly id: number,
    private readonly steps: Int32Array,
    private readonly shared: boolean,
    private readonly keys: readonly string[],
    private readonly table: CpuMemory | undefined,
    private readonly memories: readonly CpuMemory[],
  ) {}

  static async make(
    backend: CpuEngine,
    calls: readonly BoundCall[],
    kernels: readonly LoadedKernel[],
  ): Promise<CpuProgram> {
    const memories = new Set<CpuMemory>();
    const words: number[] = [];
    const starts = calls.map((call) => {
      const at = words.length;
      for (const b of call.bindings) {
        const memory = b.memory as CpuMemory;
        memories.add(memory);
        words.push(memory.address + b.byteOffset);
      }
      return at;
    });
    const table = words.length ? backend.heap.allocate(4 * words.length) : undefined;
    if (table) backend.heap.bytes.set(new Uint8Array(Uint32Array.from(words).buffer), table.address);

    const steps: number[] = [];
    const keys: string[] = [];
    let shared = false;
    let previousShared = false;
    calls.forEach((call, i) => {
      const k = kernels[i]!;
      if (k.units === 0) return;
      const share = backend.threads > 1 && k.units > 1 && k.units * k.unitCost > SHARE_ABOVE_NS + k.claimCost;
      const claim = share ? claimSize(k, backend.threads) : 0;
      const barrier = steps.length > 0 && (share || previousShared);
      steps.push(k.index, k.units, claim, (table?.address ?? 0) + 4 * starts[i]!, barrier ? 1 : 0, 0);
      keys.push(call.key);
      previousShared = share;
      shared ||= share;
    });
    const id = nextId++;
    const list = Int32Array.from(steps);
    if (shared) await backend.pool!.send({ kind: "program", id, steps: list });
    return new CpuProgram(backend, id, list, shared, keys, table, [...memories]);
  }

  run(): void {
    const { backend, steps } = this;
    const { control, runner } = backend;
    if (this.released) throw new DeviceError("cpu: a released program was run");
    for (const m of this.memories)
      if (m.freed) throw new DeviceError("cpu: a program runs on memory that was freed");
    backend.counters.submits++;
    backend.counters.dispatches += steps.length / STEP;
    control[FAILED] = 0;
    if (this.shared) backend.pool!.check();
    if (backend.profiling) runner.timings = new Float64Array(steps.length / STEP);
    if (this.shared) {
      Atomics.store(control, COUNTER, 0);
      Atomics.store(control, PROGRAM, this.id);
      Atomics.add(control, RUNS, 1);
      backend.pool!.wake();
      try {
        runner.execute(steps, true);
      } catch (error) {
        backend.pool!.fail(error as Error);
      }
      backend.pool!.check();
    } else runner.execute(steps, false);
    if (backend.profiling) this.addTimes(runner.timings!);
    const failed = control[FAILED]!;
    if (failed)
      throw new DeviceError(
        `cpu: kernel ${this.keys[failed - 1]} left its memory (a trap); its results are lost`,
      );
  }

  private addTimes(times: Float64Array): void {
    this.keys.forEach((key, i) => {
      const sum = this.backend.profile.get(key) ?? { nanoseconds: 0, runs: 0 };
      sum.nanoseconds += times[i]!;
      sum.runs++;
      this.backend.profile.set(key, sum);
    });
  }

  release(): void {
    if (this.released) return;
    this.released = true;
    if (this.table) this.backend.free(this.table);
    if (this.shared) this.backend.forget(this.id);
  }
}
