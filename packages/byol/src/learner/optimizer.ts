/** The optimisers that a preset may name, as validated data, and how each is made. */
import {
  excludeBiasAndNorm,
  type Module,
  type Optimizer,
  type AnyOptimizer,
  optimizers,
  type Rule,
  type Setting,
} from "@dawnstrap/nn";
import { z } from "zod";

/** What a preset says of a setting. */
function schemaOf(row: Setting): z.ZodType {
  switch (row.kind) {
    case "number": {
      const { least, most, above } = row;
      const from = above === undefined ? z.number() : z.number().gt(above);
      const low = least === undefined ? from : from.min(least);
      return most === undefined ? low : low.max(most);
    }
    case "boolean":
      return z.boolean();
    case "choice":
      return z.enum(row.choices as [string, ...string[]]);
  }
}

/** Of one optimiser of the table: what all have, and its own settings. */
const settingsOf = ({ name, rates, settings }: AnyOptimizer["definition"]) =>
  z.strictObject({
    kind: z.literal(name),
    /** Learning rate for a batch of 256; the peak is learningRate·(effective batch)/256. */
    learningRate: z.number().positive().default(rates.usual),
    weightDecay: z.number().min(0),
    /** Multiple of the learning rate that biases and norms learn at; left out, 1. */
    biasAndNormRate: z.number().positive().optional(),
    ...Object.fromEntries(
      Object.entries(settings).map(([key, row]) => [
        key,
        row.rare ? schemaOf(row).optional() : schemaOf(row),
      ]),
    ),
  });

/** Which optimiser, and its numbers. */
export interface OptimizerSettings {
  readonly kind: string;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly biasAndNormRate?: number;
  /** Of the optimiser's own. */
  readonly [setting: string]: unknown;
}

const kinds = [...optimizers.values()].map(({ definition }) => settingsOf(definition));
export const optimizerSchema = z.discriminatedUnion(
  "kind",
  kinds as [(typeof kinds)[number], ...typeof kinds],
) as unknown as z.ZodType<OptimizerSettings, OptimizerSettings>;

/** Gradients whose norm, over all parameters, exceeds maxNorm are shortened to it, or the step is skipped. */
export const guardSchema = z.strictObject({
  maxNorm: z.number().positive(),
  action: z.enum(["clip", "skip"]),
});

/**
 * The optimiser that moves `online`, and `target` after it.
 *
 * @param rules of the method, on top of those that exclude biases and norms from decay and adaptation
 */
export function makeOptimizer(
  online: Module,
  target: Module | undefined,
  {
    optimizer: settings,
    guard,
  }: { optimizer: OptimizerSettings; guard?: z.infer<typeof guardSchema> | undefined },
  rules: readonly Rule[],
): Optimizer {
  const { kind, learningRate: _, weightDecay, biasAndNormRate: rate, ...own } = settings;
  const excluded = excludeBiasAndNorm.map((rule) => ({ ...rule, ...(rate !== undefined && { rate }) }));
  const common = {
    weightDecay,
    rules: [...excluded, ...rules],
    ...(target && { target: target.arena }),
    ...(guard && { guard }),
  };
  const Kind = optimizers.get(kind)!;
  return new Kind(online.arena, { ...own, ...common });
}
