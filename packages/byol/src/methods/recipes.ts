/**
 * The other methods' settings as data, for three scales: small networks and short runs on digits, a ResNet-18 on small
 * photographs (solo-learn's for CIFAR), and the published ones for ResNet-50 on ImageNet (byol-spec §8).
 */
import { firstView, secondView, type ViewAugmentation } from "../images/augment/settings.js";
import type { Preset } from "../presets/preset.js";
import type { OptimizerSettings } from "../learner/optimizer.js";
import { head, plainHead } from "../learner/settings.js";
import type { MethodName } from "./settings.js";

/** What a method changes in a preset. */
type Recipe = Pick<Preset, "method" | "optimizer"> & Partial<Pick<Preset, "views" | "schedule" | "source">>;

const adamw = (learningRate: number, weightDecay = 1e-4): OptimizerSettings => ({
  ...{ kind: "adamw", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  ...{ learningRate, weightDecay },
});
const lars = (learningRate: number, weightDecay: number): OptimizerSettings => ({
  ...{ kind: "lars", variant: "official", clip: false, momentum: 0.9, trust: 1e-3 },
  ...{ learningRate, weightDecay },
});
const sgd = (learningRate: number, weightDecay: number): OptimizerSettings => ({
  ...{ kind: "sgd", momentum: 0.9, nesterov: false },
  ...{ learningRate, weightDecay },
});
const still = { start: "copy", rise: "none" } as const;

type Other = Exclude<MethodName, "byol">;
type Recipes = Readonly<Record<Other, Recipe>>;

const small: Recipes = {
  simclr: {
    method: { name: "simclr", projector: head([256], 64), temperature: 0.2 },
    optimizer: adamw(4e-3),
  },
  moco: {
    method: {
      ...{ name: "moco", projector: head([256], 64, plainHead), temperature: 0.2 },
      ...{ queue: 4096, symmetric: true, target: { ...still, tau: 0.99 } },
    },
    optimizer: adamw(4e-3),
  },
  simsiam: {
    method: {
      ...{ name: "simsiam", projector: head([256], 256, { outputNorm: true }) },
      ...{ predictor: head([64], 256, { bias: true }), predictorRate: "constant" },
    },
    optimizer: adamw(4e-3),
  },
  "barlow-twins": {
    method: { name: "barlow-twins", projector: head([256, 256], 256), lambda: 0.0051 },
    optimizer: adamw(4e-3),
  },
  supervised: { method: { name: "supervised" }, optimizer: adamw(4e-3) },
};

/** LARS as solo-learn takes it for CIFAR. */
const clipped = (learningRate: number, weightDecay: number): OptimizerSettings => ({
  ...lars(learningRate, weightDecay),
  ...{ variant: "lightning", clip: true, trust: 0.02 },
});

/** Views and warm-up stay the preset's. */
const medium: Recipes = {
  simclr: {
    method: { name: "simclr", projector: head([2048], 256, plainHead), temperature: 0.2 },
    optimizer: clipped(0.4, 1e-4),
  },
  // There τ rises to 0.999.
  moco: {
    method: {
      ...{ name: "moco", projector: head([2048], 256, plainHead), temperature: 0.2 },
      ...{ queue: 32_768, symmetric: true, target: { ...still, tau: 0.99 } },
    },
    optimizer: sgd(0.3, 1e-4),
  },
  simsiam: {
    method: {
      ...{ name: "simsiam", projector: head([2048, 2048], 2048, { outputNorm: true }) },
      ...{ predictor: head([512], 2048, { bias: true }), predictorRate: "constant" },
    },
    optimizer: sgd(0.5, 1e-5),
  },
  // There the loss is multiplied by 0.1, which LARS undoes but for weight decay (1e-4 there), biases and norms.
  "barlow-twins": {
    method: {
      ...{ name: "barlow-twins", projector: head([2048, 2048], 2048, { bias: true }), lambda: 0.0051 },
    },
    optimizer: { ...clipped(0.3, 1e-3), biasAndNormRate: 0.1 },
  },
  supervised: {
    ...{ method: { name: "supervised" }, optimizer: sgd(0.1, 5e-4) },
    source: "the usual rate of SGD for a ResNet-18 on CIFAR",
  },
};

const both = (view: ViewAugmentation): Preset["views"] => [view, view];
const halfBlurred: ViewAugmentation = { ...firstView, blur: { ...firstView.blur, probability: 0.5 } };
/** SimCLR's views: twice the paper's jitter, more than that of the saturation. */
const strong: ViewAugmentation = {
  ...halfBlurred,
  jitter: { probability: 0.8, brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2 },
};
/** Those of MoCo v2 and SimSiam. */
const moderate: ViewAugmentation = {
  ...halfBlurred,
  crop: { ...firstView.crop, area: [0.2, 1] },
  jitter: { probability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
};
/** Crop and mirror alone. */
const cropped: ViewAugmentation = {
  ...firstView,
  jitter: { ...firstView.jitter, probability: 0 },
  grey: 0,
  blur: { ...firstView.blur, probability: 0 },
};

const paper: Recipes = {
  simclr: {
    method: {
      ...{ name: "simclr", projector: head([2048], 128, { outputNorm: true }), temperature: 0.1 },
    },
    ...{ optimizer: lars(0.3, 1e-4), schedule: { warmupEpochs: 10 }, views: both(strong) },
  },
  moco: {
    method: {
      ...{ name: "moco", projector: head([2048], 128, plainHead), temperature: 0.2 },
      ...{ queue: 65_536, symmetric: false, target: { ...still, tau: 0.999 } },
    },
    ...{ optimizer: sgd(0.03, 1e-4), schedule: { warmupEpochs: 0 }, views: both(moderate) },
  },
  simsiam: {
    method: {
      ...{ name: "simsiam", projector: head([2048, 2048], 2048, { outputNorm: true }) },
      ...{ predictor: head([512], 2048, { bias: true }), predictorRate: "constant" },
    },
    ...{ optimizer: sgd(0.05, 1e-4), schedule: { warmupEpochs: 0 }, views: both(moderate) },
  },
  "barlow-twins": {
    method: { name: "barlow-twins", projector: head([8192, 8192], 8192), lambda: 0.0051 },
    // The released code gives them 0.0048 where weights get 0.2.
    optimizer: { ...lars(0.2, 1e-6), biasAndNormRate: 0.024 },
    ...{ schedule: { warmupEpochs: 10 }, views: [firstView, secondView] },
  },
  // Goyal et al. 2017, without label smoothing.
  supervised: {
    method: { name: "supervised" },
    ...{ optimizer: sgd(0.1, 1e-4), schedule: { warmupEpochs: 5 }, views: both(cropped) },
  },
};

/** Narrower networks are the small ones. */
const fullWidth = 64;

/** The recipe of a method for a network, undefined for BYOL and its ablations. */
export function recipeFor({ width, block }: Preset["network"], method: string): Recipe | undefined {
  const [recipes, source] =
    width < fullWidth
      ? [small, "chosen for short runs on digits"]
      : block === "basic"
        ? [medium, "solo-learn's for a ResNet-18 on CIFAR, scripts/pretrain/cifar"]
        : [paper, "as published for ResNet-50 on ImageNet"];
  return Object.hasOwn(recipes, method) ? { source, ...recipes[method as Other] } : undefined;
}

export const otherMethods: readonly string[] = Object.keys(small);
