/** What the numbers were measured on. */
import { execFileSync } from "node:child_process";
import { cpus, loadavg, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { Limit } from "../peers/limit.js";

export interface Machine {
  readonly date: string;
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly threads: number;
  /** Work of others when the run began: averages over one minute, in busy cores. */
  readonly load: number;
  /** What WebAssembly's vectors can do at most on this CPU; measured before the cases of the device cpu. */
  limit?: Limit;
  /** Of every contender that opened, by name and device. */
  contenders: Record<string, { description: string; versions: Readonly<Record<string, string>> }>;
}

export function describeMachine(threads: number): Machine {
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
    commit: commit(),
    cpu: cpus()[0]?.model.trim() ?? "unknown CPU",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    threads,
    load: Math.round(loadavg()[0]! * 10) / 10,
    contenders: {},
  };
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: fileURLToPath(new URL(".", import.meta.url)), encoding: "utf8" }).trim();
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no") !== "";
    return git("rev-parse", "--short=10", "HEAD") + (changed ? " with uncommitted changes" : "");
  } catch {
    return "not in a git checkout";
  }
}
