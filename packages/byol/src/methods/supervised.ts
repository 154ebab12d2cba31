/** The supervised baseline: a classifier on the encoder, trained with labels on the same views for the same number of steps. */
import { stopGradient } from "@dawnstrap/autograd";
import { crossEntropy, topKAccuracy } from "@dawnstrap/nn";
import { concat } from "@dawnstrap/tensor";
import { cropAndFlip, firstView } from "../images/augment/settings.js";
import { unlabelled } from "../learner/learner.js";
import { spread } from "../learner/loss.js";
import { defineMethod, needsLabels } from "./method.js";
import { adamw, both, sgd } from "./recipes.js";

export const supervised = defineMethod({
  name: "supervised",
  settings: {},
  heads: () => ({}),
  needsLabels: true,
  recipes: {
    small: { method: {}, optimizer: adamw(4e-3) },
    medium: {
      method: {},
      optimizer: sgd(0.1, 5e-4),
      source: "the usual rate of SGD for a ResNet-18 on CIFAR",
    },
    // Goyal et al. 2017, without label smoothing.
    paper: {
      method: {},
      optimizer: sgd(0.1, 1e-4),
      schedule: { warmupEpochs: 5 },
      views: both(cropAndFlip(firstView)),
    },
  },
  /** Cross-entropy of both views' labels. Here the probe is the classifier: its loss is the loss. */
  loss({ online }, [x1, x2], labels) {
    if (!online.probe || !labels) throw needsLabels("supervised");
    const { embedding } = online.project(concat([x1, x2]));
    const logits = online.probe.forward(embedding);
    const twice = concat([labels, labels]);
    const loss = crossEntropy(logits, twice, unlabelled);
    const accuracy = topKAccuracy(stopGradient(logits), twice, 1, unlabelled);
    return { loss, numbers: [loss, spread(stopGradient(embedding)), loss, accuracy] };
  },
});
