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
import { type Objective, type Views, withProbe } from "../learner/learner.js";
import type { Network } from "../learner/network.js";

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

/** The contrastive loss with the online probe's where there are labels. */
export function simclrLoss(
  online: Network,
  temperature: number,
  [x1, x2]: Views,
  labels: Tensor | undefined,
): Objective {
  // Both views pass together, as in the released code: batch statistics are those of both.
  const both = online.project(concat([x1, x2]));
  const embedding = narrow(both.embedding, 0, 0, x1.shape[0]!);
  return withProbe(online, { ...both, embedding }, ntXent(both.projection, temperature), labels);
}
