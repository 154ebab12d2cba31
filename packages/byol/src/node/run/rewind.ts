/** The metrics of a run up to a step. */
import { existsSync } from "node:fs";
import { UsageError } from "../../errors.js";
import type { StepMetrics } from "../../metrics.js";
import { checked, METRICS, runFileBytes } from "./files.js";

/** How far a run has got, as its checkpoint says. */
export interface Reached {
  /** The one to go on with. */
  readonly step: number;
  /** The line of the one before. */
  readonly metrics_last?: StepMetrics | undefined;
}

interface Past {
  readonly kept: readonly StepMetrics[];
  /** The byte at which what stays of the file ends. */
  readonly end: number;
  /** What has to follow there, of a last line that was torn. */
  readonly tail: string;
}

/**
 * The lines before a checkpoint's step: what follows them, later steps and a line that a killed run left half written,
 * is to be cut off, so that a run which goes on from there has every step once. Where it is the last of them that was
 * torn, it is taken from the checkpoint.
 *
 * @returns no lines where the file is missing
 * @throws UsageError when they do not lead up to the step
 */
export function readPast(path: string, { step, metrics_last: last }: Reached): Past {
  if (!existsSync(path)) return { kept: [], end: 0, tail: "" };
  const bytes = runFileBytes(path);
  const kept: StepMetrics[] = [];
  let [end, tail] = [0, ""];
  while (end < bytes.length) {
    const newline = bytes.indexOf(10, end);
    const next = newline < 0 ? bytes.length : newline;
    const metrics = parsed(bytes.subarray(end, next).toString());
    if (!metrics || metrics.step >= step) break;
    const before = kept.at(-1)?.step;
    if (before !== undefined && metrics.step !== before + 1)
      throw gap(path, `${metrics.step} follows ${before}`);
    kept.push(metrics);
    if (newline < 0) tail = "\n";
    end = Math.min(next + 1, bytes.length);
  }
  if (last && (kept.at(-1)?.step ?? -1) === step - 2) {
    kept.push(last);
    tail += `${JSON.stringify(last)}\n`;
  }
  const reached = kept.at(-1)?.step ?? step - 1;
  if (reached !== step - 1) throw gap(path, `${reached} is the last before ${step}`);
  return { kept, end, tail };
}

const gap = (path: string, what: string): UsageError =>
  new UsageError(`resume: steps are missing in ${path}: ${what} (move the file away to begin it anew)`);

function parsed(line: string): StepMetrics | undefined {
  try {
    return checked(line, METRICS, "");
  } catch {
    return undefined;
  }
}
