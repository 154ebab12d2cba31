/** Signals: the first asks the run to stop at a checkpoint, the second ends the process. */
import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM"] as const;

/** What a shell sees of a process that a signal ended. */
const exitCodeOf = (name: (typeof signals)[number]): number => 128 + constants.signals[name];

/** Runs `run`, whose signal is aborted with the exit code as its reason when the process is asked to end. */
export async function interruptible<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const ask = (name: (typeof signals)[number]): void => {
    if (controller.signal.aborted) process.exit(exitCodeOf(name));
    process.stderr.write(`\n${name}: stopping at the next step (once more to end at once)\n`);
    controller.abort(exitCodeOf(name));
  };
  for (const name of signals) process.on(name, ask);
  try {
    return await run(controller.signal);
  } finally {
    for (const name of signals) process.off(name, ask);
  }
}
