/** The table of a benchmark run, and its JSON. */
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import type { Device } from "@dawnstrap/tensor";
import type { Measurement } from "./measure.js";

export interface Report {
  readonly date: string;
  readonly commit: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    readonly platform: string;
  };
  readonly device: { readonly kind: string; readonly description: string };
  readonly seconds_per_case: number;
  readonly results: readonly Measurement[];
  readonly failures: readonly { readonly layer: string; readonly name: string; readonly error: string }[];
}

export function describeRun(device: Device, seconds: number): Omit<Report, "results" | "failures"> {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: cpus().length,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
    },
    device: { kind: device.kind, description: device.description },
    seconds_per_case: seconds,
  };
}

/** The commit, with a "+" where files differ from it; "unknown" outside of a repository. */
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

/** Three significant digits, with a unit that fits. */
export function duration(seconds: number): string {
  const [value, unit] =
    seconds >= 1 ? [seconds, "s"] : seconds >= 1e-3 ? [seconds * 1e3, "ms"] : [seconds * 1e6, "µs"];
  return `${significant(value)} ${unit}`;
}
export const significant = (v: number): string => (v >= 100 ? v.toFixed(0) : v.toPrecision(3));

const widths = { name: 58, device: 9, median: 9, rate: 16, dispatches: 10, kernels: 7 };
export const header = row("case", "device", "median", "rate", "dispatches", "kernels");

function row(
  name: string,
  device: string,
  median: string,
  rate: string,
  dispatches: string,
  kernels: string,
): string {
  return [
    name.padEnd(widths.name),
    device.padEnd(widths.device),
    median.padStart(widths.median),
    rate.padStart(widths.rate),
    dispatches.padStart(widths.dispatches),
    kernels.padStart(widths.kernels),
  ].join("  ");
}

export function line(m: Measurement, device: string): string {
  const count = (n: number | null): string => (n === null ? "–" : String(n));
  const rate = `${significant(m.rate)} ${m.unit}`;
  return row(m.name, device, duration(m.median), rate, count(m.dispatches), count(m.kernels));
}
