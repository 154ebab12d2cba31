/**
 * VICReg (Bardes, Ponce & LeCun 2022, "VICReg: Variance-invariance-covariance regularization for self-supervised
 * learning").
 *
 * Both views of an image shall have the same projection. Nothing compares images: what keeps a batch from collapsing is
 * that each feature has to vary over it, and that no two features vary together, in each view by itself.
 */
import { add, matmul, mean, mul, relu, sqrt, sub, sum, type Tensor, transpose } from "@dawnstrap/tensor";
import { checkSameShape } from "@dawnstrap/tensor/extend";
import { z } from "zod";
import { withProbe } from "../learner/learner.js";
import { head, headSchema } from "../learner/settings.js";
import { defineMethod } from "./method.js";
import { adamw, both, clippedLars, halfBlurred, lars } from "./recipes.js";

export interface VicregWeights {
  /** λ, of the distance between both views' projections. */
  readonly invariance: number;
  /** μ, of the features that vary too little. */
  readonly variance: number;
  /** ν, of the features that vary together. */
  readonly covariance: number;
}

/**
 * λ·s(Z, Z') + μ·(v(Z) + v(Z'))/2 + ν·(c(Z) + c(Z')) with
 *
 * - s(Z, Z') = Σᵢⱼ (Zᵢⱼ − Z'ᵢⱼ)²/(B·d), the mean squared difference of all elements,
 * - v(Z) = Σⱼ max(0, 1 − √(Cⱼⱼ + 1e-4))/d,
 * - c(Z) = Σᵢ≠ⱼ Cᵢⱼ²/d, where C is the covariance matrix of the features over the batch, divided by B − 1.
 *
 * These are the terms of the released code, with which its weights λ = μ = 25, ν = 1 were found. Algorithm 1 of the paper
 * does not halve v (solo-learn neither): its μ is half of this one. Equation 5 divides s by B alone: its λ is this one/d.
 *
 * @param z1 projections of the first views, float32 [B, d], B at least 2
 * @param z2 of the second
 */
export function vicregLoss(z1: Tensor, z2: Tensor, weights: VicregWeights): Tensor {
  checkSameShape("vicregLoss", z1, z2);
  const difference = sub(z1, z2);
  const invariance = mean(mul(difference, difference));
  const [one, other] = [regularity(z1), regularity(z2)];
  const variance = add(one.variance, other.variance);
  const covariance = add(one.covariance, other.covariance);
  return add(
    mul(invariance, weights.invariance),
    add(mul(variance, weights.variance / 2), mul(covariance, weights.covariance)),
  );
}

/** v and c of the projections of one view. */
function regularity(projections: Tensor) {
  const [batch, features] = projections.shape as [number, number];
  const centred = sub(projections, mean(projections, 0));
  const covariances = mul(matmul(transpose(centred), centred), 1 / (batch - 1));
  const variances = mul(sum(mul(centred, centred), 0), 1 / (batch - 1));
  const together = sub(sum(mul(covariances, covariances)), sum(mul(variances, variances)));
  return {
    variance: mean(relu(sub(1, sqrt(add(variances, 1e-4))))),
    covariance: mul(together, 1 / features),
  };
}

const weight = z.number().min(0);
const published = { invariance: 25, variance: 25, covariance: 1 };

export const vicreg = defineMethod({
  name: "vicreg",
  settings: {
    /** The paper calls it the expander: it is wider than the features. */
    projector: headSchema,
    invariance: weight,
    variance: weight,
    covariance: weight,
  },
  heads: ({ projector }) => ({ projector }),
  recipes: {
    small: {
      method: { projector: head([256, 256], 256), ...published },
      optimizer: adamw(4e-3),
    },
    // There the variance is summed over both views.
    medium: {
      method: { projector: head([2048, 2048], 2048, { bias: true }), ...published, variance: 50 },
      optimizer: clippedLars(0.3, 1e-4),
    },
    paper: {
      method: { projector: head([8192, 8192], 8192), ...published },
      optimizer: lars(0.2, 1e-6),
      schedule: { warmupEpochs: 10 },
      // The paper's; the released code takes BYOL's two different views.
      views: both({ ...halfBlurred, solarize: 0.1 }),
    },
  },
  loss({ online }, [x1, x2], labels, weights) {
    const o1 = online.project(x1);
    const o2 = online.project(x2);
    return withProbe(online, o1, vicregLoss(o1.projection, o2.projection, weights), labels);
  },
});
