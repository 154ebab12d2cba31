/** What lies in the folder of a run, and what each file must hold: people edit and copy such folders. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DataError } from "../../errors.js";
import type { Accuracies, StepMetrics } from "../../metrics.js";
import { quickProtocols } from "../../tasks/protocols/index.js";
import { resultSchema } from "../../tasks/result.js";

export const CHECKPOINTS = "checkpoints";
export const EVALUATIONS = "evaluations";
export const METRICS = "metrics.jsonl";
export const ENCODER = "encoder.safetensors";
export const EMBEDDINGS = "embeddings.safetensors";
/** No part of a run: it stands there while a process has the folder. */
export const LOCK = "run.lock";
/** What the names of TensorBoard's files begin with. */
export const EVENTS = "events.out.tfevents.";

const number = z.number();
const step = z.int().min(0);

const config = z.looseObject({
  /** Of this run and no other; runs of earlier versions have none. */
  run: z.string().optional(),
  ...{ data: z.string(), seed: number, steps: number },
  preset: z.looseObject({ name: z.string() }),
});

/** What JSON has no number for, such as an infinite norm, is written as null. */
const maybe = number.nullish().transform((found) => found ?? undefined);

export const metricsSchema = z
  .looseObject({
    ...{ step, loss: number, lr: number, std: number, images_per_second: number },
    ...{ tau: maybe, effective_rank: maybe, target_distance: maybe, grad_norm: maybe },
    ...{ knn_accuracy: maybe, probe_loss: maybe, probe_accuracy: maybe },
    alarm: z.string().optional(),
  })
  .transform((found) => found as object as StepMetrics);

export const accuraciesSchema = z
  .looseObject(Object.fromEntries(quickProtocols.map(({ key }) => [key, number.nullable()])))
  .transform((found) => found as Accuracies);

const summary = z.looseObject({
  ...{
    device: z.string(),
    data: z.string(),
    preset: z.string(),
    seed: number,
    epochs: number,
    steps: number,
  },
  ...{ seconds: number, images_per_second: number, loss_first: number, loss_last: number },
  ...{ random_init: accuraciesSchema, pretrained: accuraciesSchema },
});

/** Of a whole file, of each line of metrics.jsonl, and of each file of evaluations; the other files hold arrays. */
export const runSchemas = {
  "config.json": config,
  [METRICS]: metricsSchema,
  "summary.json": summary,
  [EVALUATIONS]: resultSchema,
} as const;

type Schemas = typeof runSchemas;
export type Held<N extends keyof Schemas> = z.infer<Schemas[N]>;
/** Files of one JSON value. */
export type JsonFile = "config.json" | "summary.json";

const others = [CHECKPOINTS, ENCODER, EMBEDDINGS];

/** Whether a run writes what has this name in its folder. */
export const isRunFile = (name: string): boolean =>
  name in runSchemas || others.includes(name) || name.startsWith(EVENTS);

/** Undefined where there is no such file. @throws DataError where it does not hold what it should, saying where */
export function readRunFile<N extends JsonFile>(folder: string, name: N): Held<N> | undefined {
  const path = join(folder, name);
  const text = textOf(path);
  return text === undefined ? undefined : checked(text, name, path);
}

/**
 * A file, or a line, as its schema has it.
 *
 * @param at its place, for messages
 * @throws DataError saying what is wrong
 */
export function checked<N extends keyof Schemas>(text: string, name: N, at: string): Held<N> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DataError(`run: ${at} is not JSON: ${(error as Error).message}`);
  }
  const result = runSchemas[name].safeParse(value);
  if (result.success) return result.data as Held<N>;
  const { path, message } = result.error.issues[0]!;
  throw new DataError(`run: ${at}: ${[...path, message].join(": ")}`);
}

function checkRegular(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false)
    throw new DataError(`run: ${path} is no regular file`);
}

/**
 * Looks at what will be replaced, before any work is done.
 *
 * @throws DataError naming what is no regular file: to open a pipe could wait without end
 */
export function checkReplaced(folder: string): void {
  for (const name of ["config.json", "summary.json", ENCODER, EMBEDDINGS]) checkRegular(join(folder, name));
}

/**
 * A file of a run.
 *
 * @throws DataError naming it where it cannot be read, or is no regular file: a pipe could be waited for without end
 */
export function runFileBytes(path: string): Buffer {
  try {
    checkRegular(path);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`run: cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function textOf(path: string): string | undefined {
  try {
    return runFileBytes(path).toString();
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
