/** One's own images. */
import { lars } from "../methods/recipes.js";
import type { Preset } from "./preset.js";
import { imagenetColours, paperMethod, paperViews, resnet18 } from "./shared.js";

export const folder: Preset = {
  name: "folder",
  description: "Any folder of photographs at 64 pixels, with the paper's augmentations and a ResNet-18",
  source: "the recipe of imagenette-r18 for smaller images and fewer epochs",
  expected: "a start for your own data; for small sets expect to train hundreds of epochs on a GPU",
  data: "DIR",
  image: { stored: 80, size: 64, ...imagenetColours },
  views: paperViews,
  network: { ...resnet18, stem: "small" },
  method: paperMethod(0.99),
  optimizer: lars(2, 1e-6),
  schedule: { warmupEpochs: 10 },
  batch: 256,
  epochs: 200,
  evaluate: { bank: 20_000, queries: 5_000, neighbours: 200, knnEvery: 0, subsets: 10 },
};
