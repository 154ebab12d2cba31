/** Emoji by two vendors. */
import { firstView, type ViewAugmentation } from "../images/augment/settings.js";
import { adamw } from "../methods/recipes.js";
import type { Preset } from "./preset.js";
import { imagenetColours, shortMethod } from "./shared.js";

/**
 * What a category looks like is much of it colour (flags, food, faces), and a drawing has no texture to be blurred: views
 * that keep more of both than the paper's photographs need.
 */
const emojiView: ViewAugmentation = {
  ...firstView,
  crop: { ...firstView.crop, area: [0.3, 1] },
  jitter: { probability: 0.8, brightness: 0.2, contrast: 0.2, saturation: 0.1, hue: 0.03 },
  grey: 0,
  blur: { ...firstView.blur, probability: 0.3 },
};

export const emoji: Preset = {
  name: "emoji",
  description: "Emoji by two vendors, nine categories",
  source: "tuned here",
  expected:
    "kNN 50 to 52 %, linear probe 55 to 58 %, ten labels a class 36 to 39 % (random: 45 to 51, 47 to 53, 29 to 32)",
  data: "emoji",
  image: { stored: 64, size: 32, ...imagenetColours },
  views: [emojiView, emojiView],
  network: { block: "basic", blocks: [1, 1, 1, 1], width: 16, stem: "small", zeroInit: false },
  method: shortMethod(),
  optimizer: adamw(4e-3),
  schedule: { warmupEpochs: 1 },
  batch: 64,
  epochs: 20,
  evaluate: { bank: 10_000, queries: 10_000, neighbours: 50, knnEvery: 0, subsets: 10 },
};
