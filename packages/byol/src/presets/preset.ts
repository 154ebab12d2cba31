/** What a preset holds. Every number of a run stands here, so that `config.json` tells the whole run. */
import { z } from "zod";
import { viewSchema } from "../images/augment/settings.js";
import { imageSchema } from "../images/settings.js";
import { UsageError } from "../errors.js";
import { guardSchema, optimizerSchema } from "../learner/optimizer.js";
import { networkSchema } from "../learner/settings.js";
import { allMethods, methodNamed, methodSchema } from "../methods/index.js";

const whole = z.number().int().positive();

const withMethods = () =>
  z
    .strictObject({
      name: z.string(),
      description: z.string(),
      /** Where its numbers come from. */
      source: z.string(),
      /** What it reaches, and who measured that. */
      expected: z.string(),
      /** The data it was made for, as `--data` takes it; DIR stands for a folder that only the user knows. */
      data: z.string(),
      image: imageSchema,
      views: z.tuple([viewSchema, viewSchema]),
      /** Both views of an image are made alike, by the first one's draws: an ablation. */
      sharedViews: z.literal(true).optional(),
      network: networkSchema,
      /** How it learns: loss, heads, and what the target is. */
      method: methodSchema(),
      optimizer: optimizerSchema,
      schedule: z.strictObject({
        /** Linear warm-up of the learning rate. */
        warmupEpochs: z.number().min(0),
      }),
      /** Images in a forward and backward pass, and so in the statistics of a batch norm. */
      batch: whole.min(2),
      /** Passes whose gradients are averaged for one update of the weights and the target; left out, one. */
      accumulate: whole.optional(),
      guard: guardSchema.optional(),
      epochs: z.number().positive(),
      evaluate: z.strictObject({
        /** Images in the bank of neighbours and behind the linear probe, at most. */
        bank: whole,
        /** Held-out images, at most. */
        queries: whole,
        neighbours: whole,
        /** Epochs between two kNN on the way, on a part of the images; 0 for none. */
        knnEvery: z.number().int().min(0),
        /** Subsets of ten labels a class. */
        subsets: whole,
      }),
    })
    .refine(
      ({ image }) => image.mean.length === image.channels && image.deviation.length === image.channels,
      {
        message: "image.mean and image.deviation need a number per channel",
      },
    )
    .superRefine(({ method, batch }, context) => {
      const wrong = methodNamed(method.name).check?.(method, { batch });
      if (wrong) context.addIssue({ code: "custom", path: ["method", wrong.field], message: wrong.message });
    });

let made: { readonly methods: number; readonly schema: ReturnType<typeof withMethods> } | undefined;

/** The schema of a preset, for all methods that are defined by now. */
export function presetSchema(): ReturnType<typeof withMethods> {
  const methods = allMethods().length;
  if (made?.methods !== methods) made = { methods, schema: withMethods() };
  return made.schema;
}

export type Preset = z.infer<ReturnType<typeof presetSchema>>;

/** Passes whose gradients are averaged for one update. */
export const microBatches = ({ accumulate = 1 }: Pick<Preset, "accumulate">): number => accumulate;

/** Images behind one update: what the learning rate is scaled by, and what an epoch is counted in. */
export const effectiveBatch = (preset: Pick<Preset, "batch" | "accumulate">): number =>
  preset.batch * microBatches(preset);

/** Checks data that came from outside. Throws UsageError naming each wrong field. */
export function parsePreset(data: unknown): Preset {
  const parsed = presetSchema().safeParse(data);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.join(".") || "preset"}: ${issue.message}`,
  );
  throw new UsageError(`preset: ${problems.join("; ")}`);
}
