/** CIFAR-10 and CIFAR-100: small images, hence a stem of stride 1 and no blur. */
import { secondView, type ViewAugmentation } from "../images/augment/settings.js";
import { head } from "../learner/settings.js";
import { byolSettings } from "../methods/byol.js";
import { clippedLars } from "../methods/recipes.js";
import type { Preset } from "./preset.js";
import { resnet18 } from "./shared.js";

const view: ViewAugmentation = {
  ...secondView,
  form: "torchvision",
  blur: { probability: 0, sigma: [0.1, 2] },
  solarize: 0,
};

const biased = head([4096], 256, { bias: true });

const cifar10: Preset = {
  name: "cifar10-r18",
  description: "CIFAR-10, ResNet-18 with a 3×3 stem",
  source:
    "solo-learn, scripts/pretrain/cifar/byol.yaml. Other than there: the stem padded by 1, warm-up from 0, float32",
  expected: "92.58 % top-1 of the online probe (solo-learn, issue 221); not measured here",
  data: "cifar10:DIR",
  image: {
    stored: 32,
    size: 32,
    channels: 3,
    background: [255, 255, 255],
    mean: [0.4914, 0.4822, 0.4465],
    deviation: [0.247, 0.2435, 0.2616],
    resize: "bicubic",
  },
  views: [view, { ...view, solarize: 0.2 }],
  network: { ...resnet18, stem: "small" },
  method: {
    ...byolSettings(4096, 256, { start: "copy", tau: 0.99 }),
    ...{ projector: biased, predictor: biased },
  },
  optimizer: clippedLars(1, 1e-5),
  schedule: { warmupEpochs: 10 },
  batch: 256,
  epochs: 1000,
  evaluate: { bank: 50_000, queries: 10_000, neighbours: 200, knnEvery: 0, subsets: 10 },
};

const cifar100: Preset = {
  ...cifar10,
  name: "cifar100-r18",
  description: "CIFAR-100, ResNet-18 with a 3×3 stem",
  expected: "70.46 % top-1 of the online probe (solo-learn, issue 221); not measured here",
  data: "cifar100:DIR",
  image: { ...cifar10.image, mean: [0.5071, 0.4865, 0.4409], deviation: [0.2673, 0.2564, 0.2762] },
};

export const cifar: readonly Preset[] = [cifar10, cifar100];
