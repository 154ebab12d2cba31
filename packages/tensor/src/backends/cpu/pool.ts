/** Worker threads over the shared memory. The calling thread is thread 0 and takes part in the work. */
import { platform } from "#platform";
import { DeviceError } from "../../errors.js";
import type { WorkerHandle } from "../../platform.js";
import { POSTED, WAKE } from "./control.js";
import { createRunner, workerMain, type WorkerMessage } from "./runner.js";

// Transpilers that keep function names wrap functions in a call of this helper.
const program = (): string => `(host) => {
  const __name = (f) => f, __name2 = __name;
  (${workerMain.toString()})(host, ${createRunner.toString()});
}`;

export class WorkerPool {
  private readonly waiting: (() => void)[][];
  private failure: Error | undefined;
  private ending = false;
  private constructor(
    private readonly workers: readonly WorkerHandle[],
    private readonly control: Int32Array,
  ) {
    this.waiting = workers.map(() => []);
    workers.forEach((w, i) => {
      w.onMessage(() => this.waiting[i]!.shift()?.());
      w.onEnd((error) => this.fail(error));
    });
  }

  /** Starts `count` workers; they are threads 1 … count. */
  static async start(count: number, memory: WebAssembly.Memory, control: Int32Array): Promise<WorkerPool> {
    const workers = Array.from({ length: count }, () => platform.startWorker(program()));
    const pool = new WorkerPool(workers, control);
    try {
      await pool.exchange((thread) => ({ kind: "start", memory, thread, threads: count + 1 }), false);
      return pool;
    } catch (error) {
      await pool.terminate();
      throw error;
    }
  }

  get size(): number {
    return this.workers.length;
  }

  /** Sends every worker a message and waits until all have handled it. */
  async send(message: WorkerMessage): Promise<void> {
    await this.exchange(() => message, true);
  }

  /** A worker has ended: nobody waits for its answers any more. */
  fail(error: Error): void {
    this.failure ??= error;
    for (const queue of this.waiting) for (const done of queue.splice(0)) done();
  }

  /** Throws DeviceError when a worker has ended: the others would wait for it without end. */
  check(): void {
    if (this.failure && !this.ending)
      throw new DeviceError(`cpu: a worker thread failed: ${this.failure.message} (open the device anew)`);
  }

  private async exchange(message: (thread: number) => WorkerMessage, announce: boolean): Promise<void> {
    this.check();
    const acknowledged = this.workers.map((w, i) => {
      w.hold(true);
      return new Promise<void>((done) => {
        this.waiting[i]!.push(done);
        w.post(message(i + 1));
      });
    });
    if (announce) {
      Atomics.add(this.control, POSTED, 1);
      this.wake();
    }
    await Promise.all(acknowledged);
    this.workers.forEach((w, i) => {
      // An answer that comes while the workers end must not let the process go: someone waits for that end.
      if (this.waiting[i]!.length === 0 && !this.ending) w.hold(false);
    });
    this.check();
  }

  wake(): void {
    Atomics.add(this.control, WAKE, 1);
    Atomics.notify(this.control, WAKE);
  }

  async terminate(): Promise<void> {
    this.ending = true;
    await Promise.all(this.workers.map((w) => w.terminate()));
  }
}
