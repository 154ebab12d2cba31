/** STL-10: 100,000 unlabelled images to train on. */
import { byolSettings } from "../methods/byol.js";
import { sgd } from "../methods/recipes.js";
import type { Preset } from "./preset.js";
import { imagenetColours, paperViews, resnet18 } from "./shared.js";

const method = byolSettings(512, 128, { start: "copy", tau: 0.996 });

export const stl10: Preset = {
  name: "stl10-r18",
  description: "STL-10 at 96 pixels, ResNet-18",
  source:
    "sthalles/PyTorch-BYOL, config and README. Other than there: the paper's augmentations, no bias in the heads' last layer, warm-up, and a cosine of the learning rate",
  expected: "75.2 % top-1 by linear evaluation after 80 epochs (that README); not measured here",
  data: "stl10:DIR",
  image: { stored: 96, size: 96, ...imagenetColours },
  views: paperViews,
  network: { ...resnet18, stem: "imagenet" },
  method: { ...method, target: { ...method.target, rise: "none" } },
  // 0.03 at a batch of 64.
  optimizer: sgd(0.12, 4e-4),
  schedule: { warmupEpochs: 1 },
  batch: 64,
  epochs: 80,
  evaluate: { bank: 5_000, queries: 8_000, neighbours: 200, knnEvery: 0, subsets: 10 },
};
