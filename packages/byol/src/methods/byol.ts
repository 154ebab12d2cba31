/**
 * Bootstrap Your Own Latent (Grill et al. 2020, Algorithm 1), one training step.
 *
 * Two networks see two views of each image. The online network θ predicts, from one view, what the target network ξ
 * projects from the other; ξ follows θ slowly. Nothing pushes different images apart, and yet it does not collapse.
 */
import { stopGradient } from "@dawnstrap/autograd";
import type { Optimizer } from "@dawnstrap/nn";
import { add, type Tensor } from "@dawnstrap/tensor";
import type { z } from "zod";
import { gradients, type Objective, type Views, withProbe } from "../learner/learner.js";
import { regression } from "../learner/loss.js";
import type { Network } from "../learner/network.js";
import { comparable, head, headSchema, type Target, targetSchema } from "../learner/settings.js";
import { defineMethod } from "./method.js";

export interface Byol {
  /** θ: trained by gradient. */
  readonly online: Network;
  /** ξ: never sees a gradient. */
  readonly target: Network;
  /** Updates θ and then, in the same pass and from the new θ, ξ ← τ·ξ + (1 − τ)·θ. */
  readonly optimizer: Optimizer;
}

/** L(θ, ξ) of the paper, with the online probe's loss where there are labels. */
export function byolLoss(
  { online, target }: Pick<Byol, "online" | "target">,
  [x1, x2]: Views,
  labels: Tensor | undefined,
): Objective {
  // Each view passes by itself, so that batch statistics are those of one view; the target uses its batches' too.
  const o1 = online.predict(x1);
  const o2 = online.predict(x2);
  const t1 = target.project(x1);
  const t2 = target.project(x2);

  // The two terms are summed, not averaged: 0 to 8, about 4 at the start.
  const bootstrap = add(
    regression(o1.prediction, stopGradient(t2.projection)),
    regression(o2.prediction, stopGradient(t1.projection)),
  );
  return withProbe(online, o1, bootstrap, labels);
}

/**
 * Records one step of BYOL: gradient, update of θ and ξ, running statistics of both networks.
 *
 * @param labels int32 [batch], for the online probe alone
 * @param scalars learning rate and τ of the step, from `optimizer.numbers`
 * @returns see `stepNumbers`, float32 [4] or [2]
 */
export function byolStep(
  { online, target, optimizer }: Byol,
  views: Views,
  labels: Tensor | undefined,
  scalars: Tensor,
): Tensor {
  const loss = (of: Views, y: Tensor | undefined) => byolLoss({ online, target }, of, y);
  const { grads, numbers } = gradients({ online, loss }, views, labels);
  optimizer.update(grads, scalars);
  return numbers;
}

export const byol = defineMethod({
  name: "byol",
  settings: {
    projector: headSchema,
    /** null: the projection itself is compared with the target's, which collapses. */
    predictor: headSchema.nullable(),
    target: targetSchema,
  },
  heads: ({ projector, predictor }) => ({ projector, predictor }),
  check: comparable,
  target: ({ target }) => target,
  loss: byolLoss,
});
export type ByolSettings = z.infer<typeof byol.schema>;

/** Projector and predictor of one hidden layer each, as in DeepMind's code; τ rises along a cosine. */
export const byolSettings = (hidden: number, output: number, target: Omit<Target, "rise">): ByolSettings => ({
  name: "byol",
  projector: head([hidden], output),
  predictor: head([hidden], output),
  target: { ...target, rise: "cosine" },
});
