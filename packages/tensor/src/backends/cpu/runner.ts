/**
 * The loop that every thread runs. This file is also the worker's source: `createRunner` and `workerMain` are turned
 * into text and started from a string, so they must not refer to anything outside themselves.
 */

/** `run` of a compiled kernel: units [start, end), scratch memory, table of addresses. */
export type Kernel = (start: number, end: number, scratch: number, args: number) => void;

export interface Runner {
  /** Kernels by index, as `steps` refer to them. */
  readonly kernels: Kernel[];
  /** Executes a program: alone, or together with the other threads, which then all call this with equal steps. */
  execute(steps: Int32Array, together: boolean): void;
  /** Nanosecond sums per step are added here when set (thread 0 only). */
  timings?: Float64Array;
}

/**
 * Steps are records of six numbers: kernel index, units, units per claim (0 = thread 0 alone), address table,
 * 1 where a barrier stands before the step, unused.
 *
 * Threads claim blocks of units from a counter: which thread computes a unit varies from run to run, what it computes
 * does not. The counters of three successive shared steps take turns, so that one can be reset while nobody looks at it.
 *
 * @param patience milliseconds to wait for the other threads, whose blocks of units are short; then `execute` throws. A thread
 *   that waits hears of no event, and so not of the end of another.
 */
export function createRunner(
  control: Int32Array,
  thread: number,
  threads: number,
  mayWait: boolean,
  patience = Number.POSITIVE_INFINITY,
): Runner {
  const ARRIVED = 2;
  const SLEEPERS = 3;
  const FAILED = 4;
  const COUNTER = 16;
  const COUNTER_STRIDE = 16;
  const SCRATCH = 64;
  const SPINS = 4000;
  const kernels: Kernel[] = [];
  // Arrivals are counted for ever (and wrap): a thread that leaves a barrier late never meets a counter set back.
  let target = 0;

  function barrier(): void {
    target = (target + threads) | 0;
    Atomics.add(control, ARRIVED, 1);
    if (Atomics.load(control, SLEEPERS) > 0) Atomics.notify(control, ARRIVED);
    for (let spins = 0; ; spins++) {
      const arrived = Atomics.load(control, ARRIVED);
      if (((arrived - target) | 0) >= 0) return;
      if (spins < SPINS || !mayWait) continue;
      Atomics.add(control, SLEEPERS, 1);
      const end = Atomics.wait(control, ARRIVED, arrived, patience);
      Atomics.sub(control, SLEEPERS, 1);
      if (end === "timed-out") throw new Error(`it has not answered for ${patience / 1000} seconds`);
    }
  }

  const runner: Runner = {
    kernels,
    execute(steps: Int32Array, together: boolean): void {
      const scratch = control[SCRATCH + thread]!;
      let turn = 0;
      for (let s = 0; s < steps.length; s += 6) {
        const units = steps[s + 1]!;
        const claim = steps[s + 2]!;
        if (together && steps[s + 4] === 1) barrier();
        const began = runner.timings ? performance.now() : 0;
        try {
          if (claim === 0 || !together) {
            if (thread === 0) kernels[steps[s]!]!(0, units, scratch, steps[s + 3]!);
          } else {
            const counter = COUNTER + turn * COUNTER_STRIDE;
            turn = (turn + 1) % 3;
            if (thread === 0) Atomics.store(control, COUNTER + turn * COUNTER_STRIDE, 0);
            for (;;) {
              const start = Atomics.add(control, counter, claim);
              if (start >= units) break;
              kernels[steps[s]!]!(
                start,
                start + claim < units ? start + claim : units,
                scratch,
                steps[s + 3]!,
              );
            }
          }
        } catch {
          // The first failure is kept; the threads still meet at every barrier.
          Atomics.compareExchange(control, FAILED, 0, s / 6 + 1);
        }
        if (runner.timings) runner.timings[s / 6]! += (performance.now() - began) * 1e6;
      }
      if (together) barrier();
    },
  };
  return runner;
}

export interface WorkerPort {
  onMessage(handle: (message: WorkerMessage) => void): void;
  post(message: unknown): void;
}

export type WorkerMessage =
  | {
      readonly kind: "start";
      readonly memory: WebAssembly.Memory;
      readonly thread: number;
      readonly threads: number;
    }
  | { readonly kind: "kernels"; readonly first: number; readonly modules: readonly WebAssembly.Module[] }
  | { readonly kind: "program"; readonly id: number; readonly steps: Int32Array }
  | { readonly kind: "release"; readonly id: number };

/**
 * A worker's life: it sleeps on a word of shared memory, executes the program it is woken for, and goes back to its
 * event loop only when messages are announced.
 */
export function workerMain(port: WorkerPort, create: typeof createRunner): void {
  const WAKE = 0;
  const RUNS = 1;
  const PROGRAM = 5;
  const POSTED = 6;
  const SPINS = 2000;
  const programs = new Map<number, Int32Array>();
  let control: Int32Array;
  let memory: WebAssembly.Memory;
  let runner: Runner;
  let runs = 0;
  let handled = 0;

  function serve(): void {
    for (let spins = 0; ; spins++) {
      const wake = Atomics.load(control, WAKE);
      if (Atomics.load(control, RUNS) !== runs) {
        runs = Atomics.load(control, RUNS);
        runner.execute(programs.get(Atomics.load(control, PROGRAM))!, true);
        spins = 0;
      } else if (Atomics.load(control, POSTED) !== handled) return;
      else if (spins > SPINS) {
        Atomics.wait(control, WAKE, wake);
        spins = 0;
      }
    }
  }

  port.onMessage((message) => {
    if (message.kind === "start") {
      memory = message.memory;
      control = new Int32Array(memory.buffer, 0, 1024);
      runner = create(control, message.thread, message.threads, true);
    } else {
      handled = (handled + 1) | 0;
      if (message.kind === "program") programs.set(message.id, message.steps);
      else if (message.kind === "release") programs.delete(message.id);
      else
        message.modules.forEach((module, i) => {
          const instance = new WebAssembly.Instance(module, { env: { memory } });
          runner.kernels[message.first + i] = instance.exports["run"] as Kernel;
        });
    }
    port.post(message.kind);
    serve();
  });
}
