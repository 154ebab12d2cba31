/** What numbers were measured on. */
import { execFileSync } from "node:child_process";
import { cpus, loadavg, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { Device } from "@dawnstrap/tensor";

export interface About {
  /** ISO 8601. */
  readonly date: string;
  /** In full, with a "+" where files differ from it; "unknown" outside of a repository. */
  readonly commit: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly node: string;
    readonly platform: string;
    /** Work of others when the run began: busy cores, the average of a minute. */
    readonly load: number;
  };
}

export function describeRun(): About {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      load: Math.round(loadavg()[0]! * 10) / 10,
    },
  };
}

export const describeDevice = ({ kind, description }: Device) => ({ kind, description });

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    return git("rev-parse", "HEAD") + (git("status", "--porcelain", "--untracked-files=no") ? "+" : "");
  } catch {
    return "unknown";
  }
}

/** "AMD EPYC, 2 cores, 24 GiB, linux x64, Node v20.20.2; load 0.3 at the start". */
export const machineText = ({ machine: m }: About): string =>
  `${m.cpu}, ${m.cores} cores, ${m.memoryGiB} GiB, ${m.platform}, Node ${m.node}; load ${m.load} at the start`;
