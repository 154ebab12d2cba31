/**
 * Barlow Twins (Zbontar et al. 2021, "Self-supervised learning via redundancy reduction").
 *
 * Each feature of one view shall agree with the same feature of the other view, and with no other feature. One network,
 * no predictor, no negatives: it cannot collapse, because features that never vary correlate with nothing.
 */
import { add, matmul, mean, mul, sub, sum, type Tensor, transpose } from "@dawnstrap/tensor";
import { type Objective, type Views, withProbe } from "../learner/learner.js";
import { standardise } from "../learner/loss.js";
import type { Network } from "../learner/network.js";

/**
 * Σᵢ (1 − Cᵢᵢ)² + λ·Σᵢ≠ⱼ Cᵢⱼ², C = Z₁ᵀ·Z₂/B the cross-correlation of the projections, each feature standardised over the
 * batch.
 *
 * @param z1 projections of the first views, float32 [B, features]
 * @param z2 of the second
 */
export function crossCorrelationLoss(z1: Tensor, z2: Tensor, lambda: number): Tensor {
  const [a, b] = [standardise(z1), standardise(z2)];
  const correlations = mul(matmul(transpose(a), b), 1 / z1.shape[0]!);
  const same = mean(mul(a, b), 0);
  const short = sub(1, same);
  const different = sub(sum(mul(correlations, correlations)), sum(mul(same, same)));
  return add(sum(mul(short, short)), mul(different, lambda));
}

/** The loss of both views with the online probe's where there are labels. */
export function barlowTwinsLoss(
  online: Network,
  lambda: number,
  [x1, x2]: Views,
  labels: Tensor | undefined,
): Objective {
  const o1 = online.project(x1);
  const o2 = online.project(x2);
  return withProbe(online, o1, crossCorrelationLoss(o1.projection, o2.projection, lambda), labels);
}
