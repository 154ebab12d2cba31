/** Worker threads over the shared memory. The calling thread is thread 0 and takes part in the work. */
import { DeviceError } from "../../errors.js";
import { POSTED, WAKE } from "./control.js";
import { createRunner, workerMain, type WorkerMessage } from "./runner.js";

/** What differs between Node's and the browser's workers. */
interface WorkerHandle {
  post(message: WorkerMessage): void;
  onMessage(handle: (message: unknown) => void): void;
  onError(handle: (error: Error) => void): void;
  /** Whether the worker keeps the process alive. */
  hold(on: boolean): void;
  terminate(): Promise<unknown>;
}

// Transpilers that keep function names wrap functions in a call of this helper.
const prelude = "const __name = (f) => f; const __name2 = __name;";
const nodeSource = (): string => `${prelude}
const { parentPort } = require("node:worker_threads");
(${workerMain.toString()})({ onMessage: (f) => parentPort.on("message", f), post: (m) => parentPort.postMessage(m) }, ${createRunner.toString()});`;
const webSource = (): string => `${prelude}
(${workerMain.toString()})({ onMessage: (f) => { onmessage = (e) => f(e.data); }, post: (m) => postMessage(m) }, ${createRunner.toString()});`;

async function startNode(): Promise<WorkerHandle> {
  const { Worker } = await import("node:worker_threads");
  const worker = new Worker(nodeSource(), { eval: true, name: "dawnstrap-cpu", execArgv: [], stdout: false });
  return {
    post: (m) => worker.postMessage(m),
    onMessage: (f) => void worker.on("message", f),
    onError: (f) => void worker.on("error", f),
    hold: (on) => (on ? worker.ref() : worker.unref()),
    // An idle worker does not hold the process; waiting for its end must, or the process would leave in between.
    terminate: () => {
      worker.ref();
      return worker.terminate();
    },
  };
}

async function startWeb(): Promise<WorkerHandle> {
  const url = URL.createObjectURL(new Blob([webSource()], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "dawnstrap-cpu" });
  URL.revokeObjectURL(url);
  return {
    post: (m) => worker.postMessage(m),
    onMessage: (f) => {
      worker.onmessage = (e) => f(e.data);
    },
    onError: (f) => {
      worker.onerror = (e) => f(new Error(e.message));
    },
    hold: () => undefined,
    terminate: async () => worker.terminate(),
  };
}

export const inNode = typeof process !== "undefined" && !!process.versions?.node;

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
      w.onError((error) => {
        this.failure = error;
        for (const queue of this.waiting) for (const done of queue.splice(0)) done();
      });
    });
  }

  /** Starts `count` workers; they are threads 1 … count. */
  static async start(count: number, memory: WebAssembly.Memory, control: Int32Array): Promise<WorkerPool> {
    const workers = await Promise.all(Array.from({ length: count }, inNode ? startNode : startWeb));
    const pool = new WorkerPool(workers, control);
    await pool.exchange((thread) => ({ kind: "start", memory, thread, threads: count + 1 }), false);
    return pool;
  }

  get size(): number {
    return this.workers.length;
  }

  /** Sends every worker a message and waits until all have handled it. */
  async send(message: WorkerMessage): Promise<void> {
    await this.exchange(() => message, true);
  }

  private async exchange(message: (thread: number) => WorkerMessage, announce: boolean): Promise<void> {
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
    if (this.failure) throw new DeviceError(`cpu: a worker thread failed: ${this.failure.message}`);
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
