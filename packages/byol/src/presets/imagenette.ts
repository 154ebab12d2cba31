/** Imagenette: ten classes of ImageNet that are easy to tell apart. */
import { lars } from "../methods/recipes.js";
import type { Preset } from "./preset.js";
import { imagenetColours, paperMethod, paperViews, resnet18 } from "./shared.js";

export const imagenette: Preset = {
  name: "imagenette-r18",
  description: "Imagenette at 128 pixels, ResNet-18",
  source: "DeepMind's code, byol/README.md; “not finely tuned”, say its authors",
  expected:
    "about 92.3 % top-1 of the online probe, in about 4 hours on one V100 (that README); not measured here",
  data: "DIR",
  image: { stored: 160, size: 128, ...imagenetColours },
  views: paperViews,
  network: { ...resnet18, stem: "imagenet" },
  method: paperMethod(0.996),
  optimizer: lars(2, 1e-6),
  schedule: { warmupEpochs: 10 },
  batch: 256,
  epochs: 1000,
  evaluate: { bank: 10_000, queries: 5_000, neighbours: 200, knnEvery: 0, subsets: 10 },
};
