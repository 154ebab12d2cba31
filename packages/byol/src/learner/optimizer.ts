/** The optimisers that a preset may name, as validated data, and how each is made. */
import { AdamW, excludeBiasAndNorm, Lars, type Module, type Optimizer, type Rule, Sgd } from "@dawnstrap/nn";
import { z } from "zod";
import { rates } from "./rates.js";

const common = <K extends keyof typeof rates>(kind: K) => ({
  kind: z.literal(kind),
  /** Learning rate for a batch of 256; the peak is learningRate·(effective batch)/256. */
  learningRate: z.number().positive().default(rates[kind].usual),
  weightDecay: z.number().min(0),
  /** Multiple of the learning rate that biases and norms learn at; left out, 1. */
  biasAndNormRate: z.number().positive().optional(),
});
/** Which optimiser, and its numbers. */
export const optimizerSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    ...common("lars"),
    momentum: z.number().min(0).max(1),
    /** Denominator of the trust ratio: ‖g + wd·w‖ (the paper's code), or ‖g‖ + wd·‖w‖ (lightly, solo-learn). */
    variant: z.enum(["official", "lightning"]),
    /** The ratio is at most the learning rate (LARC; solo-learn on small images). */
    clip: z.boolean(),
    trust: z.number().positive(),
  }),
  z.strictObject({
    ...common("sgd"),
    momentum: z.number().min(0).max(1),
    nesterov: z.boolean(),
  }),
  z.strictObject({
    ...common("adamw"),
    beta1: z.number().min(0).max(1),
    beta2: z.number().min(0).max(1),
    epsilon: z.number().positive(),
  }),
]);

export type OptimizerSettings = z.infer<typeof optimizerSchema>;

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
  const rate = settings.biasAndNormRate;
  const excluded = excludeBiasAndNorm.map((rule) => ({ ...rule, ...(rate !== undefined && { rate }) }));
  const common = {
    weightDecay: settings.weightDecay,
    rules: [...excluded, ...rules],
    ...(target && { target: target.arena }),
    ...(guard && { guard }),
  };
  switch (settings.kind) {
    case "lars":
      return new Lars(online.arena, {
        ...common,
        momentum: settings.momentum,
        eta: settings.trust,
        variant: settings.variant,
        clip: settings.clip,
      });
    case "sgd":
      return new Sgd(online.arena, { ...common, momentum: settings.momentum, nesterov: settings.nesterov });
    case "adamw":
      return new AdamW(online.arena, {
        ...common,
        beta1: settings.beta1,
        beta2: settings.beta2,
        eps: settings.epsilon,
      });
  }
}
