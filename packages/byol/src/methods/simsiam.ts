/**
 * SimSiam (Chen & He 2021, "Exploring simple Siamese representation learning").
 *
 * BYOL without a target network: from one view the predictor tells what the very same network projects from the other,
 * and no gradient passes through what is told. The stopped gradient alone keeps it from collapsing.
 */
import { stopGradient } from "@dawnstrap/autograd";
import { byName } from "@dawnstrap/nn";
import { add, l2Normalize, mean, mul, sum, type Tensor } from "@dawnstrap/tensor";
import { checkSameShape } from "@dawnstrap/tensor/extend";
import { z } from "zod";
import { withProbe } from "../learner/learner.js";
import { comparable, head, headSchema } from "../learner/settings.js";
import { defineMethod } from "./method.js";
import { adamw, both, moderate, sgd } from "./recipes.js";

/** D(p, z) = −cos(p, z), averaged over the batch; no gradient passes through z. From −1 to 1. */
export function negativeCosine(p: Tensor, z: Tensor): Tensor {
  checkSameShape("negativeCosine", p, z);
  return mul(mean(sum(mul(l2Normalize(p), l2Normalize(stopGradient(z))), -1)), -1);
}

/** The paper's heads, which solo-learn takes too. */
const published = {
  projector: head([2048, 2048], 2048, { outputNorm: true }),
  predictor: head([512], 2048, { bias: true }),
  predictorRate: "constant",
} as const;

export const simsiam = defineMethod({
  name: "simsiam",
  settings: {
    projector: headSchema,
    predictor: headSchema,
    /** "constant": the predictor keeps the peak rate from the first step to the last. */
    predictorRate: z.enum(["constant", "scheduled"]).default("scheduled"),
  },
  heads: ({ projector, predictor }) => ({ projector, predictor }),
  check: comparable,
  rules: ({ predictorRate }) =>
    predictorRate === "constant" ? [byName(/^predictor\./, { steady: true })] : [],
  recipes: {
    small: {
      method: {
        projector: head([256], 256, { outputNorm: true }),
        predictor: head([64], 256, { bias: true }),
        predictorRate: "constant",
      },
      optimizer: adamw(4e-3),
    },
    medium: { method: published, optimizer: sgd(0.5, 1e-5) },
    paper: {
      method: published,
      optimizer: sgd(0.05, 1e-4),
      schedule: { warmupEpochs: 0 },
      views: both(moderate),
    },
  },
  /** ½·D(p₁, z₂) + ½·D(p₂, z₁), −1 at best. */
  loss({ online }, [x1, x2], labels) {
    const o1 = online.predict(x1);
    const o2 = online.predict(x2);
    const terms = add(
      negativeCosine(o1.prediction, o2.projection),
      negativeCosine(o2.prediction, o1.projection),
    );
    return withProbe(online, o1, mul(terms, 0.5), labels);
  },
});
