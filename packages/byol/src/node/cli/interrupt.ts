/** Signals: the first asks the run to stop at a checkpoint, the second ends the process. */
import { constants } from "node:os";
import { endingBy } from "./outputs.js";

/** What a terminal sends for Ctrl-C and when it is closed, and what a scheduler sends. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What a shell sees of a process that a signal ended. */
const exitCodeOf = (name: (typeof signals)[number]): number => 128 + constants.signals[name];

/**
 * Runs `run`, whose signal is aborted with the exit code as its reason when the process is asked to end, or when what it
 * says is not taken any more.
 */
export async function interruptible<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const listen = (): void => void signals.forEach((name) => process.on(name, ask));
  const leave = (): void => void signals.forEach((name) => process.off(name, ask));
  const ask = (name: (typeof signals)[number]): void => {
    if (controller.signal.aborted) {
      // `process.exit` would wait for the threads that decode images; the signal itself waits for nothing.
      leave();
      process.kill(process.pid, name);
      return;
    }
    process.stderr.write(`\n${name}: stopping at the next step (once more to end at once)\n`);
    controller.abort(exitCodeOf(name));
  };
  listen();
  try {
    return await endingBy(
      // The first reason is the one that counts: the signal of a closing terminal comes before the lost terminal.
      (exitCode) => controller.abort(exitCode),
      () => run(controller.signal),
    );
  } finally {
    leave();
  }
}
