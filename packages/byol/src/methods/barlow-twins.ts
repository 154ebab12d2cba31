/**
 * Barlow Twins (Zbontar et al. 2021, "Self-supervised learning via redundancy reduction").
 *
 * Each feature of one view shall agree with the same feature of the other view, and with no other feature. One network,
 * no predictor, no negatives: it cannot collapse, because features that never vary correlate with nothing.
 */
import { add, matmul, mean, mul, sub, sum, type Tensor, transpose } from "@dawnstrap/tensor";
import { checkSameShape } from "@dawnstrap/tensor/extend";
import { z } from "zod";
import { firstView, secondView } from "../images/augment/settings.js";
import { withProbe } from "../learner/learner.js";
import { standardise } from "../learner/loss.js";
import { head, headSchema } from "../learner/settings.js";
import { defineMethod } from "./method.js";
import { adamw, clippedLars, lars } from "./recipes.js";

/**
 * Σᵢ (1 − Cᵢᵢ)² + λ·Σᵢ≠ⱼ Cᵢⱼ², C = Z₁ᵀ·Z₂/B the cross-correlation of the projections, each feature standardised over the
 * batch.
 *
 * @param z1 projections of the first views, float32 [B, features]
 * @param z2 of the second
 */
export function crossCorrelationLoss(z1: Tensor, z2: Tensor, lambda: number): Tensor {
  checkSameShape("crossCorrelationLoss", z1, z2);
  const [a, b] = [standardise(z1), standardise(z2)];
  const correlations = mul(matmul(transpose(a), b), 1 / z1.shape[0]!);
  const same = mean(mul(a, b), 0);
  const short = sub(1, same);
  const different = sub(sum(mul(correlations, correlations)), sum(mul(same, same)));
  return add(sum(mul(short, short)), mul(different, lambda));
}

export const barlowTwins = defineMethod({
  name: "barlow-twins",
  settings: {
    projector: headSchema,
    /** Weight of the correlations between different features. */
    lambda: z.number().positive(),
  },
  heads: ({ projector }) => ({ projector }),
  recipes: {
    small: {
      method: { projector: head([256, 256], 256), lambda: 0.0051 },
      optimizer: adamw(4e-3),
    },
    // There the loss is multiplied by 0.1, which LARS undoes but for weight decay (1e-4 there), biases and norms.
    medium: {
      method: { projector: head([2048, 2048], 2048, { bias: true }), lambda: 0.0051 },
      optimizer: { ...clippedLars(0.3, 1e-3), biasAndNormRate: 0.1 },
    },
    paper: {
      method: { projector: head([8192, 8192], 8192), lambda: 0.0051 },
      // Biases and norms: the released code gives them 0.0048 where weights get 0.2.
      optimizer: { ...lars(0.2, 1e-6), biasAndNormRate: 0.024 },
      schedule: { warmupEpochs: 10 },
      views: [firstView, secondView],
    },
  },
  loss({ online }, [x1, x2], labels, { lambda }) {
    const o1 = online.project(x1);
    const o2 = online.project(x2);
    return withProbe(online, o1, crossCorrelationLoss(o1.projection, o2.projection, lambda), labels);
  },
});
