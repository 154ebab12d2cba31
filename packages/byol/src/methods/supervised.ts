/** The supervised baseline: a classifier on the encoder, trained with labels on the same views for the same number of steps. */
import { stopGradient } from "@dawnstrap/autograd";
import { crossEntropy, topKAccuracy } from "@dawnstrap/nn";
import { concat, type Tensor } from "@dawnstrap/tensor";
import { UsageError } from "../errors.js";
import type { Objective, Views } from "../learner/learner.js";
import { spread } from "../learner/loss.js";
import type { Network } from "../learner/network.js";

export const needsLabels = () =>
  new UsageError("method: supervised needs labels (put the images in one sub-folder per class)");

/** Cross-entropy of both views' labels. Here the probe is the classifier: its loss is the loss. */
export function supervisedLoss(online: Network, [x1, x2]: Views, labels: Tensor | undefined): Objective {
  if (!online.probe || !labels) throw needsLabels();
  const { embedding } = online.project(concat([x1, x2]));
  const logits = online.probe.forward(embedding);
  const both = concat([labels, labels]);
  const loss = crossEntropy(logits, both);
  const accuracy = topKAccuracy(stopGradient(logits), both);
  return { loss, numbers: [loss, spread(stopGradient(embedding)), loss, accuracy] };
}
