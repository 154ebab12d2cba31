/** The command line as a process with a part of the machine, and what its run has written so far. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../packages/byol/dist/cli.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Which half of the cores a process has, so that two that run at once do not wait for each other's threads. */
export type Half = 0 | 1;

/** The command, kept to its half by Linux's taskset; elsewhere the system shares the cores out. */
function onHalf(half: Half, words: string[]): string[] {
  const cores = availableParallelism();
  if (process.platform !== "linux" || cores < 2) return words;
  const middle = Math.floor(cores / 2);
  return ["taskset", "-c", half === 0 ? `0-${middle - 1}` : `${middle}-${cores - 1}`, ...words];
}

export function startByol(half: Half, words: readonly string[]): Running {
  const [command, ...rest] = onHalf(half, [process.execPath, program, ...words]);
  const child = spawn(command!, rest, { stdio: ["ignore", "ignore", "pipe"] });
  let err = "";
  // The end is what tells why.
  child.stderr!.on("data", (text) => (err = `${err}${text}`.slice(-2000)));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, err }));
  });
  return { child, ended };
}

/** Whole lines of a run's metrics.jsonl. */
export function linesOf(run: string): string[] {
  const file = join(run, "metrics.jsonl");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
}
