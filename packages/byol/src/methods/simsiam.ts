/**
 * SimSiam (Chen & He 2021, "Exploring simple Siamese representation learning").
 *
 * BYOL without a target network: from one view the predictor tells what the very same network projects from the other,
 * and no gradient passes through what is told. The stopped gradient alone keeps it from collapsing.
 */
import { stopGradient } from "@dawnstrap/autograd";
import { add, l2Normalize, mean, mul, sum, type Tensor } from "@dawnstrap/tensor";
import { type Objective, type Views, withProbe } from "../learner/learner.js";
import type { Network } from "../learner/network.js";

/** D(p, z) = −cos(p, z), averaged over the batch; no gradient passes through z. From −1 to 1. */
export function negativeCosine(p: Tensor, z: Tensor): Tensor {
  return mul(mean(sum(mul(l2Normalize(p), l2Normalize(stopGradient(z))), -1)), -1);
}

/** ½·D(p₁, z₂) + ½·D(p₂, z₁), −1 at best, with the online probe's loss where there are labels. */
export function simsiamLoss(online: Network, [x1, x2]: Views, labels: Tensor | undefined): Objective {
  const o1 = online.predict(x1);
  const o2 = online.predict(x2);
  const both = add(
    negativeCosine(o1.prediction, o2.projection),
    negativeCosine(o2.prediction, o1.projection),
  );
  return withProbe(online, o1, mul(both, 0.5), labels);
}
