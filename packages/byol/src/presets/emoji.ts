/** Emoji by two vendors. */
import { firstView, secondView } from "../augment/settings.js";
import { byol } from "../methods/variants.js";
import type { Preset } from "../preset.js";
import { adamw, imagenetColours } from "./shared.js";

export const emoji: Preset = {
  name: "emoji",
  description: "Emoji by two vendors, nine categories",
  source: "tuned here",
  expected: "not measured yet",
  data: "emoji",
  image: { stored: 64, size: 32, ...imagenetColours },
  views: [
    { ...firstView, crop: { ...firstView.crop, area: [0.2, 1] } },
    { ...secondView, crop: { ...secondView.crop, area: [0.2, 1] } },
  ],
  network: { block: "basic", blocks: [1, 1, 1, 1], width: 16, stem: "small", zeroInit: false },
  method: byol(256, 64, { start: "copy", tau: 0.9 }),
  optimizer: { ...adamw, learningRate: 4e-3 },
  schedule: { warmupEpochs: 1 },
  batch: 64,
  epochs: 20,
  evaluate: { bank: 10_000, queries: 10_000, neighbours: 50, knnEvery: 0, subsets: 10 },
};
