/** Computing by compiled kernels: uploads, one program, results and variables. */
import { type DType, type HostArray, storageBytes } from "../dtype.js";
import { bindCalls, type Placed } from "../graph/bind.js";
import { type Build, buildProgram } from "../graph/build.js";
import { type NodeOutput, storageOf } from "../graph/node.js";
import { Pool } from "../graph/pool.js";
import {
  dropHold,
  inMemory,
  MemoryStorage,
  refuseFailed,
  refuseTooLarge,
  type Storage,
  writing,
} from "../graph/storage.js";
import { wordsOf } from "../host.js";
import type { Backend } from "../program.js";
import type { Tensor } from "../tensor.js";
import {
  type Assignment,
  type Executor,
  type Program,
  type Recording,
  type Session,
  storageFor,
} from "./executor.js";
import { upload } from "./upload.js";

/** A program that has its memory; its kernels are not compiled yet. */
interface Ready extends Placed {
  readonly build: Build;
  /** Variables that the program writes. */
  readonly targets: readonly (Assignment & { readonly storage: MemoryStorage })[];
  readonly uploaded: Promise<void>;
}

const wordBytes = ({ numel, dtype }: Storage): number => Math.ceil((numel * storageBytes[dtype]) / 4) * 4;

export class Compiled implements Executor {
  private readonly pool: Pool;
  /** Memory of captured programs' arenas, in bytes. */
  private arenaBytes = 0;

  constructor(
    private readonly session: Session,
    private readonly backend: Backend,
  ) {
    this.pool = new Pool(backend);
  }

  get description(): string {
    return this.backend.description;
  }
  get kernels(): string {
    return this.backend.kernels;
  }
  get totalBytes(): number | undefined {
    return this.backend.limits.totalBytes;
  }

  newStorage(dtype: DType, elements: number, writer?: string): MemoryStorage {
    refuseTooLarge(dtype, elements, this.backend.limits);
    const bytes = elements * storageBytes[dtype];
    const memory = this.pool.allocate(Math.max(16, Math.ceil(bytes / 16) * 16));
    return new MemoryStorage(dtype, elements, memory, 0, writer ? undefined : { holders: 1 }, writer);
  }

  free(storage: Storage): void {
    dropHold(inMemory(storage), this.pool);
  }

  discard(storages: readonly Storage[]): void {
    for (const storage of storages) this.pool.release(inMemory(storage).memory);
  }

  store(storage: Storage, host: HostArray): () => void {
    const { memory, byteOffset } = inMemory(storage);
    return () => this.backend.write(memory, byteOffset, host);
  }

  feed({ node, output }: Tensor, input: Storage): () => void {
    const to = inMemory(input);
    const { host } = node;
    if (host) return () => this.backend.write(to.memory, to.byteOffset, host);
    const from = inMemory(storageOf({ node, output }));
    const bytes = wordBytes(input);
    return () => this.backend.copy(from.memory, from.byteOffset, to.memory, to.byteOffset, bytes);
  }

  async read(storage: Storage): Promise<HostArray> {
    const { memory, byteOffset, dtype, numel } = inMemory(storage);
    // The copy is enqueued in order; waiting for it must not hold up what comes after.
    const { copy } = await this.session.queue.enqueue(() => {
      refuseFailed(storage);
      return { copy: this.backend.read(memory, byteOffset, wordBytes(storage)) };
    });
    return wordsOf(dtype, await copy).subarray(0, numel);
  }

  async runOnce(
    results: readonly NodeOutput[],
    assigned: readonly Assignment[],
    onProgress?: (done: number, total: number) => void,
  ): Promise<void> {
    const { session, backend, pool } = this;
    const ready = this.place(results, assigned, undefined);
    results.forEach((at, i) => {
      const storage = ready.results[i]!;
      at.node.settle(at.output, storage);
      session.results.track(storage, at.node);
    });
    for (const node of new Set(results.map((r) => r.node))) node.inputs = [];
    for (const { variable, storage } of ready.targets) {
      storage.version++;
      variable.settle(session.leafOf(storage, variable.shape));
    }
    const written = [...ready.results, ...ready.targets.map((t) => t.storage)];
    const ran = session.queue.enqueue(async () => {
      try {
        const program = await backend.prepare(ready.calls, onProgress);
        try {
          writing(written, () => program.run());
        } finally {
          program.release();
        }
      } catch (error) {
        for (const storage of written) storage.failure = error;
        throw error;
      } finally {
        for (const memory of ready.arenas) pool.release(memory);
      }
    });
    await Promise.all([ready.uploaded, ran]);
  }

  async program({ inputs, results, assigned }: Recording, writer: string): Promise<Program> {
    const { session, backend, pool } = this;
    const placed = this.place(results, assigned, writer);
    // Constants that the function closed over stay alive with the program.
    const held = [...placed.build.externals.values()];
    for (const { lease } of held) if (lease) lease.holders++;
    this.arenaBytes += placed.arenaBytes;
    const giveBack = (): void => {
      for (const storage of placed.results) storage.released = true;
      for (const storage of [...held, ...placed.results]) dropHold(storage, pool);
      for (const memory of [...placed.arenas, ...placed.ownMemory]) pool.release(memory);
      this.arenaBytes -= placed.arenaBytes;
    };
    try {
      const ready = session.queue.enqueue(() => backend.prepare(placed.calls));
      const [, prepared] = await Promise.all([placed.uploaded, ready]);
      return {
        outputs: placed.results,
        run: () => prepared.run(),
        release: () => {
          prepared.release();
          giveBack();
          this.discard(inputs);
        },
      };
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  /** Uploads what a program reads, builds it, and gives it memory. `writer` as in `bindCalls`. */
  private place(
    results: readonly NodeOutput[],
    assigned: readonly Assignment[],
    writer: string | undefined,
  ): Ready {
    const { limits } = this.backend;
    const uploaded = upload(this.session, [...results, ...assigned.map((a) => a.value)]);
    const targets = assigned
      .map((a) => ({ ...a, storage: inMemory(storageFor(this, a.variable)) }))
      .filter((a) => a.value.node.storages[0] !== a.storage);
    const build = buildProgram({ limits, results, assigned: targets });
    return { ...bindCalls(build, limits, this.pool, writer), build, targets, uploaded };
  }

  trim(): void {
    this.pool.trim();
  }
  memory(): { arena: number; pool: number; peak: number } {
    return { arena: this.arenaBytes, pool: this.pool.used - this.arenaBytes, peak: this.pool.peak };
  }
  idle(): Promise<void> {
    return this.backend.idle();
  }
  destroy(): Promise<void> {
    return this.backend.destroy();
  }
}
