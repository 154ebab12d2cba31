/**
 * SimCLR (Chen et al. 2020, "A simple framework for contrastive learning of visual representations").
 *
 * Among both views of every image in the batch, a view has to find the other view of its own image. One network; what
 * keeps images apart are the other images of the batch, so larger batches teach more.
 */
import {
  add,
  concat,
  l2Normalize,
  matmul,
  mod,
  mul,
  narrow,
  oneHot,
  type Tensor,
  transpose,
} from "@dawnstrap/tensor";
import { crossEntropy } from "@dawnstrap/nn";
import { z } from "zod";
import type { ViewAugmentation } from "../images/augment/settings.js";
import { withProbe } from "../learner/learner.js";
import { head, headSchema, plainHead } from "../learner/settings.js";
import { defineMethod } from "./method.js";
import { adamw, both, clippedLars, halfBlurred, lars } from "./recipes.js";

/** Below every similarity by so much that its exponential is 0: no view is compared with itself. */
const excluded = -1e9;

/**
 * NT-Xent, the normalised temperature-scaled cross-entropy: the mean over all 2·B views of
 * −log(exp(cos(z, z⁺)/T) / Σ exp(cos(z, z')/T)), z' over the other 2·B − 1 views. About log(2·B − 1) for unrelated
 * projections and a large T.
 *
 * @param z projections of x₁ and then of x₂, float32 [2·B, features]
 */
export function ntXent(z: Tensor, temperature: number): Tensor {
  const rows = z.shape[0]!;
  const unit = l2Normalize(z);
  const index = z.device.arange(rows);
  const similarities = mul(matmul(unit, transpose(unit)), 1 / temperature);
  const candidates = add(similarities, mul(oneHot(index, rows), excluded));
  return crossEntropy(candidates, mod(add(index, rows / 2), rows));
}

/** SimCLR's views: twice the jitter of BYOL's paper, more than that of the saturation. */
const strong: ViewAugmentation = {
  ...halfBlurred,
  jitter: { probability: 0.8, brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2 },
};

export const simclr = defineMethod({
  name: "simclr",
  settings: { projector: headSchema, temperature: z.number().positive() },
  heads: ({ projector }) => ({ projector }),
  recipes: {
    small: {
      method: { projector: head([256], 64), temperature: 0.2 },
      optimizer: adamw(4e-3),
    },
    medium: {
      method: { projector: head([2048], 256, plainHead), temperature: 0.2 },
      optimizer: clippedLars(0.4, 1e-4),
    },
    paper: {
      method: { projector: head([2048], 128, { outputNorm: true }), temperature: 0.1 },
      optimizer: lars(0.3, 1e-4),
      schedule: { warmupEpochs: 10 },
      views: both(strong),
    },
  },
  loss({ online }, [x1, x2], labels, { temperature }) {
    // Both views pass together, as in the released code: batch statistics are those of both.
    const passed = online.project(concat([x1, x2]));
    const embedding = narrow(passed.embedding, 0, 0, x1.shape[0]!);
    return withProbe(online, { ...passed, embedding }, ntXent(passed.projection, temperature), labels);
  },
});
