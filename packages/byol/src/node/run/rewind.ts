/** Takes the metrics of a run back to a step. */
import { existsSync, readFileSync, truncateSync } from "node:fs";
import { UsageError } from "../../errors.js";
import type { StepMetrics } from "../../metrics.js";

/**
 * Cuts off the lines of step `step` and later, and a line that a killed run left half written, so that a run which
 * goes on from there has every step once. A file that is missing is begun anew.
 *
 * @returns the lines that stay
 * @throws UsageError when they do not lead up to `step`
 */
export function rewind(path: string, step: number): StepMetrics[] {
  if (!existsSync(path)) return [];
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
  truncateSync(path, end);
  return kept;
}

const gap = (path: string, what: string): UsageError =>
  new UsageError(`resume: steps are missing in ${path}: ${what} (move the file away to begin it anew)`);

function parsed(line: string): StepMetrics | undefined {
  try {
    const metrics = JSON.parse(line) as StepMetrics;
    return typeof metrics?.step === "number" ? metrics : undefined;
  } catch {
    return undefined;
  }
}
