/** The metrics of a run up to a step. */
import { existsSync, readFileSync } from "node:fs";
import { UsageError } from "../../errors.js";
import type { StepMetrics } from "../../metrics.js";
import { checked, METRICS } from "./files.js";

/**
 * The lines before step `step`: what follows them, later steps and a line that a killed run left half written, is to
 * be cut off, so that a run which goes on from there has every step once.
 *
 * @returns the lines, none where the file is missing, and the byte at which they end
 * @throws UsageError when they do not lead up to `step`
 */
export function readPast(path: string, step: number): { kept: StepMetrics[]; end: number } {
  if (!existsSync(path)) return { kept: [], end: 0 };
  const bytes = readFileSync(path);
  const kept: StepMetrics[] = [];
  let end = 0;
  for (let next = bytes.indexOf(10); next >= 0; next = bytes.indexOf(10, end)) {
    const metrics = parsed(bytes.subarray(end, next).toString());
    if (!metrics || metrics.step >= step) break;
    const before = kept.at(-1)?.step;
    if (before !== undefined && metrics.step !== before + 1)
      throw gap(path, `${metrics.step} follows ${before}`);
    kept.push(metrics);
    end = next + 1;
  }
  const last = kept.at(-1)?.step ?? step - 1;
  if (last !== step - 1) throw gap(path, `${last} is the last before ${step}`);
  return { kept, end };
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
