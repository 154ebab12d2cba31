/**
 * Bootstrap Your Own Latent (Grill et al. 2020, Algorithm 1), one training step.
 *
 * Two networks see two views of each image. The online network θ predicts, from one view, what the target network ξ
 * projects from the other; ξ follows θ slowly. Nothing pushes different images apart, and yet it does not collapse.
 */
import { stopGradient, valueAndGrad } from "@dawnstrap/autograd";
import { crossEntropy, type Optimizer, topKAccuracy } from "@dawnstrap/nn";
import { add, concat, reshape, type Tensor } from "@dawnstrap/tensor";
import { regression, spread } from "./loss.js";
import type { ByolNetwork } from "./network.js";

export interface Byol {
  /** θ: trained by gradient. */
  readonly online: ByolNetwork;
  /** ξ: never sees a gradient. */
  readonly target: ByolNetwork;
  /** Updates θ and then, in the same pass and from the new θ, ξ ← τ·ξ + (1 − τ)·θ. */
  readonly optimizer: Optimizer;
}

/** Names of the numbers that a step returns, in order; the last two only where there are labels. */
export const stepNumbers = ["loss", "std", "probe_loss", "probe_accuracy"] as const;

/**
 * Records one step of BYOL: gradient, update of θ and ξ, running statistics of both networks.
 *
 * @param views x₁ ~ T and x₂ ~ T', normalised, float32 [batch, h, w, channels]
 * @param labels int32 [batch], for the online probe alone
 * @param scalars learning rate and τ of the step, from `optimizer.scalars`
 * @returns see `stepNumbers`, float32 [4] or [2]
 */
export function byolStep(
  { online, target, optimizer }: Byol,
  [x1, x2]: readonly [Tensor, Tensor],
  labels: Tensor | undefined,
  scalars: Tensor,
): Tensor {
  const { aux, grads } = valueAndGrad(() => {
    // Each view passes by itself, so that batch statistics are those of one view; the target uses its batches' too.
    const o1 = online.online(x1);
    const o2 = online.online(x2);
    const t1 = target.target(x1);
    const t2 = target.target(x2);

    // The two terms are summed, not averaged: 0 to 8, about 4 at the start.
    const bootstrap = add(
      regression(o1.prediction, stopGradient(t2.projection)),
      regression(o2.prediction, stopGradient(t1.projection)),
    );
    const numbers = [bootstrap, spread(stopGradient(o1.projection))];
    if (!online.probe || !labels) return { loss: bootstrap, aux: numbers };

    // The probe learns from labels, the encoder must not.
    const logits = online.probe.forward(stopGradient(o1.embedding));
    const classification = crossEntropy(logits, labels);
    const watched = stopGradient(logits);
    return {
      loss: add(bootstrap, classification),
      aux: [...numbers, classification, topKAccuracy(watched, labels)],
    };
  })(...online.arena.values());

  optimizer.update(grads, scalars);
  return concat(aux.map((number) => reshape(number, [1])));
}
