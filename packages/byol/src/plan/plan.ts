/** A run, before it runs: its size, its work, its memory, its length. */
import type { DataSource } from "../images/source.js";
import { probeClasses } from "../images/source.js";
import type { Device } from "@dawnstrap/tensor";
import { Network } from "../learner/network.js";
import { headsOf } from "../methods/index.js";
import { effectiveBatch, type Preset } from "../presets/preset.js";
import { makeLearner, totalStepsOf, warmupStepsOf } from "../training/setup.js";
import { prepareTraining } from "../training/trainer.js";
import { checkBatch } from "./batch.js";
import { type Recompute, recomputes, fits, inFittingBatches, type Place, recomputing } from "./fit.js";
import { type Bytes, bytesOrReason, type Work, workOf } from "./step.js";

export interface RunPlan {
  readonly preset: string;
  readonly device: string;
  readonly images: number;
  readonly parameters: Readonly<Record<string, number>>;
  readonly work: Work;
  /** By the way activations are kept; a reason where the device can hold no such buffer. */
  readonly bytes: Readonly<Record<Recompute, Bytes | string>>;
  readonly batch: number;
  readonly stepsPerEpoch: number;
  readonly steps: number;
  readonly warmupSteps: number;
  /** Bytes that the device holds; undefined where nobody says. */
  readonly memory: number | undefined;
  /** Why the run cannot be, and what could. */
  readonly refusal?: string;
  /** Measured on this device; absent where no steps were asked for, or none fit. */
  readonly secondsPerStep?: number;
}

export interface PlanOptions {
  readonly device: Device;
  readonly preset: Preset;
  readonly data: DataSource;
  /** Bytes that the device holds, where it does not tell itself. */
  readonly memory?: number;
  /** Steps to time. Default 0. */
  readonly measure?: number;
}

/** Plans a run on a device. */
export async function planRun({ device, preset, data, memory, measure = 0 }: PlanOptions): Promise<RunPlan> {
  const classes = probeClasses(data);
  const place: Place = { device, image: data.image, classes, memory: memory ?? device.totalBytes };
  const bytes = {} as Record<Recompute, Bytes | string>;
  for (const checkpoint of recomputes)
    bytes[checkpoint] = await bytesOrReason(device, recomputing(preset, checkpoint), data.image, classes);
  const own = preset.network.checkpoint ?? "none";
  const fit = fits(bytes[own], place);
  const images = data.train.length;
  const steps = totalStepsOf(preset, images);
  return {
    preset: preset.name,
    device: `${device.kind}, ${device.description}`,
    images,
    parameters: parametersOf(preset, classes),
    work: workOf(device, preset, classes),
    bytes,
    batch: preset.batch,
    stepsPerEpoch: Math.floor(images / effectiveBatch(preset)),
    steps,
    warmupSteps: warmupStepsOf(preset, images, steps),
    memory: place.memory,
    ...(!fit && { refusal: await refusalOf(preset, bytes, place) }),
    ...(fit && measure > 0 && { secondsPerStep: await secondsOf({ device, preset, data }, measure) }),
  };
}

/** Parameters of the online network by their part. */
function parametersOf(preset: Preset, classes: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [path, { shape }] of new Network(preset, headsOf(preset.method), classes).namedParameters()) {
    const part = path.split(".")[0]!;
    counts[part] = (counts[part] ?? 0) + shape.reduce((n, d) => n * d, 1);
  }
  return counts;
}

async function refusalOf(
  preset: Preset,
  bytes: Record<Recompute, Bytes | string>,
  place: Place,
): Promise<string> {
  const own = bytes[preset.network.checkpoint ?? "none"];
  const need =
    typeof own === "string"
      ? own
      : `a step of ${preset.batch} images needs ${gib(own.peak)}, and the device holds ${gib(place.memory!)}`;
  const saving = recomputes.find((checkpoint) => fits(bytes[checkpoint], place));
  const parts =
    (await inFittingBatches(preset, place)) ?? (await inFittingBatches(recomputing(preset, "block"), place));
  const remedies = [
    ...(saving && saving !== "none" ? [recomputing(preset, saving)] : []),
    ...(parts ? [parts] : []),
  ].map((fitting) => flagsOf(preset, fitting));
  return `${need}; ${remedies.length ? `what fits: ${remedies.join(", or ")}` : "nothing of this network fits: take a smaller one"}`;
}

/** What makes `fitting` of a preset. */
function flagsOf({ network, batch }: Preset, fitting: Preset): string {
  const { checkpoint } = fitting.network;
  return [
    ...(checkpoint !== network.checkpoint ? [`--set network.checkpoint=${checkpoint}`] : []),
    ...(fitting.batch !== batch ? [`--batch ${fitting.batch} --accumulate ${fitting.accumulate}`] : []),
  ].join(" ");
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/** Seconds of a step, batches read from the data as in a run; the first step, which compiles, is left out. */
async function secondsOf(
  { device, preset, data }: Pick<PlanOptions, "device" | "preset" | "data">,
  steps: number,
): Promise<number> {
  await checkBatch(device, preset, data);
  const learner = makeLearner(device, preset, probeClasses(data), 0);
  let speed = 0;
  await prepareTraining(learner, {
    ...{ device, preset, data, seed: 0, steps: steps + 1 },
    onStep: ({ images_per_second }) => {
      speed = images_per_second;
    },
  }).run();
  return effectiveBatch(preset) / speed;
}
