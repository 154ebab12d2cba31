/** What a run writes: a row per case and device. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Case } from "./cases.js";
import type { Counts } from "./contenders/contender.js";
import type { ContenderSpec, DeviceName } from "./contenders/list.js";
import type { Measured, Timing } from "./measure.js";
import type { About } from "../shared/machine.js";
import type { Limit } from "./limit.js";

export interface Row {
  readonly case: string;
  readonly device: DeviceName;
  /** In `unit`, more is better; null where we have no result. */
  readonly ours: number | null;
  /** Null where a peer has no result; `reasons` says why. */
  readonly peers: Readonly<Record<string, number | null>>;
  readonly unit: Case["unit"];
  /** Against the fastest JavaScript peer; null where there is none. */
  readonly ratio_to_best_peer: number | null;
  readonly best_peer: string | null;
  /** Against PyTorch on the same machine's CPU, and as many threads. */
  readonly ratio_to_native: number | null;
  readonly reasons: Readonly<Record<string, string>>;
  readonly timings: Readonly<Record<string, Timing>>;
  readonly counts: Counts | null;
}

export function rowOf(c: Case, device: DeviceName, specs: readonly ContenderSpec[], m: Measured): Row {
  const value = ({ name }: ContenderSpec): number | null => {
    const timing = m.timings.get(name);
    return timing ? c.amount / scale[c.unit] / (timing.ms / 1000) : null;
  };
  const ours = value(specs.find((s) => s.role === "ours")!);
  const others = specs.filter((s) => s.role !== "ours");
  const fastest = (role: ContenderSpec["role"]): { name: string; value: number } | undefined =>
    others
      .filter((s) => s.role === role)
      .flatMap((s) => (value(s) === null ? [] : [{ name: s.name, value: value(s)! }]))
      .sort((a, b) => b.value - a.value)[0];
  const [peer, native] = [fastest("peer"), fastest("native")];
  return {
    case: c.name,
    device,
    ours,
    peers: Object.fromEntries(others.map((s) => [s.name, value(s)])),
    unit: c.unit,
    ratio_to_best_peer: ours !== null && peer ? ours / peer.value : null,
    best_peer: peer?.name ?? null,
    ratio_to_native: ours !== null && native ? ours / native.value : null,
    reasons: Object.fromEntries(m.reasons),
    timings: Object.fromEntries(m.timings),
    counts: m.counts,
  };
}

const scale: Record<Case["unit"], number> = { "GFLOP/s": 1e9, "GB/s": 1e9, "images/s": 1 };

export interface Results extends About {
  readonly threads: number;
  /** What WebAssembly's vectors can do at most on this CPU; measured before the cases of the device cpu. */
  limit?: Limit;
  /** Of every contender that opened, by name and device. */
  readonly contenders: Record<string, { description: string; versions: Readonly<Record<string, string>> }>;
  readonly rows: Row[];
}

export function readResults(file: string): Results | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Results) : undefined;
}

/** The file is whole at any time, so that an interrupted run leaves what it has. */
export function writeResults(file: string, results: Results): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(results, undefined, 1)}\n`);
  renameSync(`${file}.new`, file);
}
