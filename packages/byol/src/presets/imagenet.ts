/**
 * ImageNet, as the paper and DeepMind's code train on it (Grill et al. 2020, §3.2, §3.3 and App. B): SAME padding as
 * TensorFlow's, a projection shortcut on every group, no bias in the heads' last layer, norm scales that all start at 1,
 * and two networks that start from different seeds.
 */
import { type ResNetDepth, resnetDepths } from "@dawnstrap/nn";
import { lars } from "../methods/recipes.js";
import type { Preset } from "./preset.js";
import { imagenetColours, paperMethod, paperViews } from "./shared.js";

const code = "DeepMind's code, byol/configs/byol.py";
const crops =
  "Crops are taken of the central square, stored at 256 pixels; the paper takes them of the whole photograph.";

function network(depth: ResNetDepth, width: number): Preset["network"] {
  const { block, blocks } = resnetDepths[depth];
  return { block, blocks: [...blocks], width: 64 * width, stem: "imagenet", zeroInit: false };
}

const base: Preset = {
  name: "imagenet-r50",
  description: "ResNet-50, 1000 epochs: the paper's main result",
  source: `Grill et al. 2020, §3.3 and Table 6; ${code}, 1000 epochs. ${crops}`,
  expected: linear("Table 1", 74.3, 91.6),
  data: "imagenet:DIR",
  image: { stored: 256, size: 224, centre: 224 / 256, ...imagenetColours },
  views: paperViews,
  network: network(50, 1),
  method: paperMethod(0.996),
  optimizer: lars(0.2, 1.5e-6),
  schedule: { warmupEpochs: 10 },
  batch: 4096,
  epochs: 1000,
  evaluate: { bank: 100_000, queries: 50_000, neighbours: 200, knnEvery: 0, subsets: 10 },
};

function linear(table: string, top1: number, top5: number): string {
  return `${top1.toFixed(1)} % top-1, ${top5.toFixed(1)} % top-5 by linear evaluation (paper, ${table}); not measured here`;
}

/** Shorter schedules of the released code. */
function shorter(
  epochs: number,
  numbers: { learningRate: number; tau: number; expected: string; cites: string },
): Preset {
  return {
    ...base,
    name: `imagenet-r50-${epochs}ep`,
    description: `ResNet-50, ${epochs} epochs`,
    source: `${code}, ${epochs} epochs; ${numbers.cites}. ${crops}`,
    expected: numbers.expected,
    optimizer: lars(numbers.learningRate, 1e-6),
    method: paperMethod(numbers.tau),
    epochs,
  };
}

const smallBatch: Preset = {
  ...base,
  name: "imagenet-r50-b512",
  description: "ResNet-50, 1000 epochs in batches of 512: the paper's small-batch recipe",
  source: `Grill et al. 2020, App. G. ${crops}`,
  expected: "73.7 % top-1 by linear evaluation (paper, App. G); not measured here",
  optimizer: lars(0.4, 1.5e-6),
  method: paperMethod(0.9995),
  batch: 512,
};

/** Other depths and widths under the recipe of 1000 epochs: depth, width, top-1, top-5 of the paper's Table 9. */
const others = [
  [101, 1, 76.4, 93.0],
  [152, 1, 77.3, 93.7],
  [200, 1, 77.8, 93.9],
  [50, 2, 77.4, 93.6],
  [101, 2, 78.7, 94.3],
  [152, 2, 79.0, 94.6],
  [200, 2, 79.6, 94.9],
  [50, 3, 78.2, 93.9],
  [101, 3, 78.4, 94.2],
  [152, 3, 79.5, 94.6],
  [50, 4, 78.6, 94.2],
] as const;

const larger = others.map(
  ([depth, width, top1, top5]): Preset => ({
    ...base,
    name: `imagenet-r${depth}${width > 1 ? `x${width}` : ""}`,
    description: `ResNet-${depth}${width > 1 ? `, ${width} times as wide` : ""}, 1000 epochs`,
    source: `Grill et al. 2020, Table 9; ${code}, 1000 epochs. ${crops}`,
    expected: linear("Table 9", top1, top5),
    network: network(depth, width),
  }),
);

export const imagenet: readonly Preset[] = [
  base,
  shorter(300, {
    learningRate: 0.3,
    tau: 0.99,
    expected: linear("App. F", 72.5, 90.8),
    cites: "the setting of the paper's ablations",
  }),
  shorter(100, {
    learningRate: 0.45,
    tau: 0.99,
    expected:
      "62.5 % to 66.5 % top-1 in re-implementations whose recipes differ (Chen & He 2021, Table 4: 66.5 %); not measured here",
    cites: "the paper gives no result for it",
  }),
  shorter(40, {
    learningRate: 0.45,
    tau: 0.97,
    expected:
      "62 ± 0.5 % top-1 of the online probe, 61.5 ± 0.5 % by linear evaluation (an author, deepmind-research issue 76); not measured here",
    cites: "deepmind-research issue 76",
  }),
  smallBatch,
  ...larger,
];
