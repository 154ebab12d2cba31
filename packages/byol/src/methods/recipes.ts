/**
 * What a method changes in a preset made for BYOL, and what the recipes of several methods have in common. There are
 * three scales: small networks and short runs on digits, a ResNet-18 on small photographs (solo-learn's for CIFAR), and
 * the published ones for ResNet-50 on ImageNet.
 */
import { firstView, type ViewAugmentation } from "../images/augment/settings.js";
import type { OptimizerSettings } from "../learner/optimizer.js";
import type { NetworkSettings } from "../learner/settings.js";

export interface Recipe<Settings> {
  readonly method: Settings;
  // What is left out stays as the preset has it.
  readonly optimizer?: OptimizerSettings;
  readonly views?: [ViewAugmentation, ViewAugmentation];
  readonly schedule?: { readonly warmupEpochs: number };
  /** Where the numbers come from; left out, where those of the scale come from. */
  readonly source?: string;
}

/** Scales of recipes, and where the numbers of each come from. */
export const scales = {
  small: "chosen for short runs on digits",
  medium: "solo-learn's for a ResNet-18 on CIFAR, scripts/pretrain/cifar",
  paper: "as published for ResNet-50 on ImageNet",
} as const;
export type Scale = keyof typeof scales;

/** Narrower networks are the small ones. */
const fullWidth = 64;

/** The scale of a network. */
export const scaleOf = ({ width, block }: NetworkSettings): Scale =>
  width < fullWidth ? "small" : block === "basic" ? "medium" : "paper";

export const adamw = (learningRate: number, weightDecay = 1e-4): OptimizerSettings => ({
  ...{ kind: "adamw", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  ...{ learningRate, weightDecay },
});
/** LARS of BYOL's released code, and of the other papers. */
export const lars = (learningRate: number, weightDecay: number): OptimizerSettings => ({
  ...{ kind: "lars", variant: "official", clip: false, momentum: 0.9, trust: 1e-3 },
  ...{ learningRate, weightDecay },
});
/** LARS as solo-learn takes it for CIFAR. */
export const clippedLars = (learningRate: number, weightDecay: number): OptimizerSettings => ({
  ...{ kind: "lars", variant: "lightning", clip: true, momentum: 0.9, trust: 0.02 },
  ...{ learningRate, weightDecay },
});
export const sgd = (learningRate: number, weightDecay: number): OptimizerSettings => ({
  ...{ kind: "sgd", momentum: 0.9, nesterov: false },
  ...{ learningRate, weightDecay },
});

/** A target that starts as a copy and follows at the same τ from the first step to the last. */
export const still = (tau: number) => ({ start: "copy", rise: "none", tau }) as const;

/** The same augmentation for both views. */
export const both = (view: ViewAugmentation): [ViewAugmentation, ViewAugmentation] => [view, view];
/** The first view of BYOL's paper, blurred half of the time only. */
export const halfBlurred: ViewAugmentation = { ...firstView, blur: { ...firstView.blur, probability: 0.5 } };
/** The views of MoCo v2 and SimSiam. */
export const moderate: ViewAugmentation = {
  ...halfBlurred,
  crop: { ...firstView.crop, area: [0.2, 1] },
  jitter: { probability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
};
