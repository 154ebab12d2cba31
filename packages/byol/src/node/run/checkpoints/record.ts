/** What a checkpoint holds beside arrays. */
import type { Device } from "@dawnstrap/tensor";
import { z } from "zod";
import { presetSchema } from "../../../presets/preset.js";
import { accuraciesSchema, metricsSchema } from "../files.js";
import { judges } from "./score.js";

const whole = z.int().min(0);

/** How data are opened, as far as that decides what they are; nothing else may be told by a file. */
const dataOptionsSchema = z.strictObject({
  strict: z.boolean().optional(),
  anySize: z.boolean().optional(),
  cacheBytes: whole.optional(),
});

/**
 * Shuffling, augmentation and schedules are pure functions of the seed and the step (in `preset`, `seed`, `steps` and
 * `step`): these four are the position in the data, the state of everything random, and that of the schedules.
 *
 * A function, since presets may be of methods and optimisers that are defined later.
 */
export const recordSchema = () =>
  z
    .strictObject({
      /** Of @dawnstrap/byol. */
      version: z.string(),
      /** Of the run and no other, as in its config.json; runs of earlier versions have none. */
      run: z.string().optional(),
      /** Updates done; the next one has this number. */
      step: whole,
      /** Updates of the whole run. */
      steps: whole.min(1),
      seed: whole.max(2 ** 32 - 1),
      /** The effective configuration. */
      preset: presetSchema(),
      /** As on the command line, a path in it absolute. */
      data: z.string(),
      dataOptions: dataOptionsSchema,
      /** Images to train on, which a resumed run has to find again. */
      images: whole.min(1),
      classes: z.array(z.string()).readonly(),
      device: z.enum(["webgpu", "cpu", "reference"]),
      /** What computed it, as `Device.kernels` has it; absent in checkpoints older than this field. */
      kernels: z.string().optional(),
      /** Whether event files for TensorBoard are written. */
      tensorboard: z.boolean().optional(),
      /** Measured once, before the first step; absent where that was interrupted. */
      random_init: accuraciesSchema.optional(),
      /** Loss of the first step; null before it. */
      loss_first: z.number().nullable(),
      /** The line of the last step, for a metrics.jsonl whose end was torn. */
      metrics_last: metricsSchema.optional(),
      /** Spent so far: since the command started, and in training steps. */
      seconds: z.strictObject({ all: z.number().min(0), training: z.number().min(0) }),
      /** The best checkpoint so far. */
      best: z.strictObject({ by: z.enum(judges), value: z.number(), step: whole }).nullable(),
    })
    .refine(({ step, steps }) => step <= steps, { path: ["step"], message: "it is beyond the last one" })
    .refine(({ step, best }) => !best || best.step <= step, {
      path: ["best", "step"],
      message: "it is beyond the checkpoint's own",
    })
    .refine(({ step, metrics_last: last }) => !last || last.step === step - 1, {
      path: ["metrics_last", "step"],
      message: "it is not the last one's",
    });

export type RunRecord = Readonly<z.infer<ReturnType<typeof recordSchema>>>;

/** Says that a run will not go on bit for bit, where other kernels computed it; else undefined. */
export function kernelsWarning(
  { version, kernels }: RunRecord,
  now: { readonly version: string; readonly kernels: Device["kernels"] },
): string | undefined {
  const changed = [
    ...(kernels !== undefined && kernels !== now.kernels ? [[kernels, now.kernels]] : []),
    ...(version === now.version ? [] : [[`version ${version}`, `version ${now.version}`]]),
  ];
  if (changed.length === 0) return undefined;
  const list = (side: 0 | 1) => changed.map((pair) => pair[side]).join(", ");
  return `the run was computed by ${list(0)}, and goes on by ${list(1)}: not bit for bit as if it had not been stopped`;
}
