/** Standard output and standard error that nobody takes any more: a closed pipe, a full disk, a terminal that is gone. */
import { constants } from "node:os";
import { printable } from "../report/escape.js";

/** A line on standard error. */
export const note = (text: string): void => void process.stderr.write(`${printable(text)}\n`);

/** Nobody reads any more: no fault, and there is nobody to tell of it. */
const closed = ["EPIPE", "ECONNRESET", "EIO"];

let end: (exitCode: number) => void = (exitCode) => process.exit(exitCode);

/** Ends the process quietly, instead of by an exception, where what it writes is not taken. */
export function watchOutputs(): void {
  process.stderr.on("error", (error) => end(exitCodeOf(error)));
  process.stdout.on("error", (error) => {
    if (exitCodeOf(error) === 1)
      process.stderr.write(`error: standard output: ${error.message} (make room, or send it elsewhere)\n`);
    end(exitCodeOf(error));
  });
}

/** As a shell has it of a process that wrote into a closed pipe. */
const exitCodeOf = ({ code = "" }: NodeJS.ErrnoException): number =>
  closed.includes(code) ? 128 + constants.signals.SIGPIPE : 1;

/** While `work` is under way, outputs that are lost do not end the process: `ask` is told of them. */
export async function endingBy<T>(ask: (exitCode: number) => void, work: () => Promise<T>): Promise<T> {
  const before = end;
  end = ask;
  try {
    return await work();
  } finally {
    end = before;
  }
}
