/** A run's folder as a report reads it; everything is checked, since people edit and copy such folders. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { DataError, UsageError } from "../../../errors.js";
import type { Accuracies } from "../../../metrics.js";
import { EVALUATIONS } from "../../../tasks/node/filed.js";
import { quickProtocols } from "../../../tasks/protocols/index.js";
import { type Result, resultSchema } from "../../../tasks/result.js";
import { decodeSample, type Sample } from "./sample.js";

const number = z.number();
const metricsLine = z.looseObject({
  step: z.int().min(0),
  ...{ loss: number, lr: number, std: number, images_per_second: number },
  ...{ tau: number.optional(), effective_rank: number.optional(), target_distance: number.optional() },
  ...{ knn_accuracy: number.optional(), probe_loss: number.optional(), probe_accuracy: number.optional() },
  alarm: z.string().optional(),
});
export type MetricsLine = z.infer<typeof metricsLine>;

const config = z.looseObject({
  ...{ data: z.string(), seed: number, steps: number },
  preset: z.looseObject({ name: z.string() }),
});
const accuracies = z
  .looseObject(Object.fromEntries(quickProtocols.map(({ key }) => [key, number.nullable()])))
  .transform((found) => found as Accuracies);
const summary = z.looseObject({
  ...{ device: z.string(), epochs: number, seconds: number, images_per_second: number },
  ...{ random_init: accuracies, pretrained: accuracies },
});

/** `current` where it is of the encoder that the run holds now. */
export type Evaluation = Result & { readonly current: boolean };

export interface ReportedRun {
  /** The folder's name. */
  readonly name: string;
  readonly config: z.infer<typeof config>;
  readonly metrics: readonly MetricsLine[];
  /** Undefined where the run has not ended. */
  readonly summary: z.infer<typeof summary> | undefined;
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
  if (!existsSync(folder)) throw new UsageError(`report: there is no ${folder} (name folders of runs)`);
  for (const name of ["config.json", "metrics.jsonl"])
    if (!existsSync(file(name)))
      throw new UsageError(`report: ${folder} is no run: it holds no ${name} (name folders of runs)`);
  const json = <T>(name: string, schema: z.ZodType<T>): T =>
    parsed(readFileSync(file(name), "utf8"), schema, file(name));
  return {
    name: basename(resolve(folder)),
    config: json("config.json", config),
    metrics: readMetrics(file("metrics.jsonl")),
    summary: existsSync(file("summary.json")) ? json("summary.json", summary) : undefined,
    sample: existsSync(file("embeddings.safetensors"))
      ? readSample(file("embeddings.safetensors"))
      : undefined,
    evaluations: evaluationsOf(folder),
  };
}

function evaluationsOf(folder: string): Evaluation[] {
  const files = filesIn(join(folder, EVALUATIONS));
  const encoder = join(folder, "encoder.safetensors");
  const hash = createHash("sha256");
  if (files.length > 0 && existsSync(encoder)) hash.update(readFileSync(encoder));
  const sha256 = hash.digest("hex");
  return files.map((name) => {
    const path = join(folder, EVALUATIONS, name);
    const result = parsed(readFileSync(path, "utf8"), resultSchema, path);
    return { ...result, current: result.encoder_sha256 === sha256 };
  });
}

/** Names of the JSON files in a folder, sorted; none where there is no folder. */
const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(".json"))
        .sort()
    : [];

/** Every step once and in order; what follows the last line's end is being written, or was when the run was killed. */
function readMetrics(path: string): MetricsLine[] {
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  const metrics: MetricsLine[] = [];
  for (const [i, line] of lines.entries()) {
    const at = `${path}, line ${i + 1}`;
    const one = parsed(line, metricsLine, at);
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
    return decodeSample(readFileSync(path));
  } catch (error) {
    throw new DataError(`report: ${path}: ${(error as Error).message}`);
  }
}

function parsed<T>(text: string, schema: z.ZodType<T>, at: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DataError(`report: ${at} is not JSON: ${(error as Error).message}`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new DataError(`report: ${at}: ${[...path, message].join(": ")}`);
}
