/** A run's folder as a report reads it; everything is checked, since people edit and copy such folders. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { DataError, UsageError } from "../../../errors.js";
import { nearbyPath } from "../../../images/node/nearby.js";
import type { Result } from "../../../tasks/result.js";
import {
  checked,
  EMBEDDINGS,
  ENCODER,
  EVALUATIONS,
  type Held,
  METRICS,
  readRunFile,
  runFileBytes,
} from "../../run/files.js";
import { decodeSample, type Sample } from "./sample.js";

export type MetricsLine = Held<typeof METRICS>;

/** `current` where it is of the encoder that the run holds now. */
export type Evaluation = Result & { readonly current: boolean };

export interface ReportedRun {
  /** The folder's name. */
  readonly name: string;
  readonly config: Held<"config.json">;
  readonly metrics: readonly MetricsLine[];
  /** Undefined where the run has not ended. */
  readonly summary: Held<"summary.json"> | undefined;
  readonly sample: Sample | undefined;
  /** What `byol evaluate` has filed of it, by the names of the files. */
  readonly evaluations: readonly Evaluation[];
}

/**
 * @throws UsageError when the folder is no run
 * @throws DataError naming the file, and the line, that is not as a run writes it
 */
export function readRun(folder: string): ReportedRun {
  const file = (name: string) => join(folder, name);
  if (!existsSync(folder))
    throw new UsageError(`report: there is no ${folder}${nearbyPath(folder)} (name folders of runs)`);
  const config = readRunFile(folder, "config.json");
  if (!config || !existsSync(file(METRICS)))
    throw new UsageError(
      `report: ${folder} is no run: it holds no ${config ? METRICS : "config.json"} (name folders of runs)`,
    );
  return {
    name: basename(resolve(folder)),
    config,
    metrics: readMetrics(file(METRICS)),
    summary: readRunFile(folder, "summary.json"),
    sample: existsSync(file(EMBEDDINGS)) ? readSample(file(EMBEDDINGS)) : undefined,
    evaluations: evaluationsOf(folder),
  };
}

function evaluationsOf(folder: string): Evaluation[] {
  const files = filesIn(join(folder, EVALUATIONS));
  const encoder = join(folder, ENCODER);
  const hash = createHash("sha256");
  if (files.length > 0 && existsSync(encoder)) hash.update(runFileBytes(encoder));
  const sha256 = hash.digest("hex");
  return files.map((name) => {
    const path = join(folder, EVALUATIONS, name);
    const result = checked(runFileBytes(path).toString(), EVALUATIONS, path);
    return { ...result, current: result.encoder_sha256 === sha256 };
  });
}

/** Names of the JSON files in a folder, sorted; none where there is no folder. */
function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .sort();
  } catch (error) {
    throw new DataError(`report: cannot read ${folder}: ${(error as Error).message}`);
  }
}

/** Every step once and in order; what follows the last line's end is being written, or was when the run was killed. */
function readMetrics(path: string): MetricsLine[] {
  const lines = runFileBytes(path).toString().split("\n").slice(0, -1);
  const metrics: MetricsLine[] = [];
  for (const [i, line] of lines.entries()) {
    const at = `${path}, line ${i + 1}`;
    const one = checked(line, METRICS, at);
    const before = metrics.at(-1)?.step;
    if (before !== undefined && one.step !== before + 1)
      throw new DataError(`report: ${at}: steps are missing or doubled: ${one.step} follows ${before}`);
    metrics.push(one);
  }
  if (metrics.length === 0) throw new DataError(`report: ${path} holds no line (has the run begun?)`);
  return metrics;
}

function readSample(path: string): Sample {
  try {
    return decodeSample(runFileBytes(path));
  } catch (error) {
    throw new DataError(`report: ${path}: ${(error as Error).message}`);
  }
}
