/**
 * The methods as data, with settings for two scales: small networks and short runs on digits, and the published ones
 * for ResNet-50 on ImageNet (byol-spec §8).
 */
import { firstView, secondView, type ViewAugmentation } from "../augment/settings.js";
import { UsageError } from "../errors.js";
import type { Preset } from "../preset.js";
import type { Head, Method, MethodName, Target } from "./settings.js";

type ByolMethod = Method & { name: "byol" };

/** Norm after each hidden layer; the last layer has no bias, as in the released codes of most. */
const head = (hidden: number[], output: number, changes: Partial<Head> = {}): Head => ({
  ...{ hidden, output, norm: true, bias: false, outputNorm: false },
  ...changes,
});

/** BYOL with projector and predictor of one hidden layer each, as in DeepMind's code; τ rises along a cosine. */
export const byol = (hidden: number, output: number, target: Omit<Target, "rise">): ByolMethod => ({
  name: "byol",
  projector: head([hidden], output),
  predictor: head([hidden], output),
  target: { ...target, rise: "cosine" },
});

/** What a method changes in a preset. */
type Variant = Pick<Preset, "method" | "optimizer"> & Partial<Pick<Preset, "views" | "schedule">>;

const adamw = (learningRate: number, weightDecay = 1e-4): Preset["optimizer"] => ({
  ...{ kind: "adamw", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  ...{ learningRate, weightDecay },
});
const lars = (learningRate: number, weightDecay: number): Preset["optimizer"] => ({
  ...{ kind: "lars", variant: "official", clip: false, momentum: 0.9, trust: 1e-3 },
  ...{ learningRate, weightDecay },
});
const sgd = (learningRate: number, weightDecay: number): Preset["optimizer"] => ({
  ...{ kind: "sgd", momentum: 0.9, nesterov: false },
  ...{ learningRate, weightDecay },
});
const plainHead = { norm: false, bias: true } as const;
const still = { start: "copy", rise: "none" } as const;

type Other = Exclude<MethodName, "byol">;

const small: Readonly<Record<Other, Variant>> = {
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

const paper: Readonly<Record<Other, Variant>> = {
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

/** BYOL with something taken away (byol-spec §9: what should collapse, and what should not). */
const ablations = {
  "byol-no-predictor": { method: (of: ByolMethod) => ({ ...of, predictor: null }) },
  "byol-tau-0": { method: (of: ByolMethod) => withTau(of, 0) },
  "byol-tau-1": { method: (of: ByolMethod) => withTau(of, 1) },
  "byol-collapse": { method: (of: ByolMethod) => ({ ...withTau(of, 0), predictor: null }) },
  "byol-no-norm": { method: (of: ByolMethod) => withoutNorm(of) },
  "byol-shared-views": { sharedViews: true, method: (of: ByolMethod) => of },
} as const;

const withTau = (of: ByolMethod, tau: number): ByolMethod => ({
  ...of,
  target: { ...of.target, tau, rise: "none" },
});
const withoutNorm = ({ projector, predictor, ...rest }: ByolMethod): ByolMethod => ({
  ...rest,
  projector: { ...projector, ...plainHead },
  predictor: predictor && { ...predictor, ...plainHead },
});

type Ablation = keyof typeof ablations;

/** Every name that `withMethod` takes. */
export const variantNames: readonly string[] = ["byol", ...Object.keys(small), ...Object.keys(ablations)];

/** Networks of this width and more are trained with the published settings. */
const fullWidth = 64;

/**
 * A BYOL preset's counterpart for another method, or for an ablation of BYOL: data, network, batch and epochs stay,
 * heads, optimiser and target are the method's own.
 */
export function withMethod(preset: Preset, name: string): Preset {
  if (!variantNames.includes(name))
    throw new UsageError(`method: there is no "${name}"; there are ${variantNames.join(", ")}`);
  const { method } = preset;
  if (name === method.name) return preset;
  const isSmall = preset.network.width < fullWidth;
  const variant = (isSmall ? small : paper)[name as Other];
  const source = isSmall ? "chosen for short runs on digits" : "as published for ResNet-50 on ImageNet";
  if (variant) return { ...preset, ...variant, source, expected: "not measured yet" };
  if (method.name !== "byol")
    throw new UsageError(`method: "${name}" is made from a preset for byol, this one is for ${method.name}`);
  const { method: change, ...rest } = { sharedViews: undefined, ...ablations[name as Ablation] };
  return { ...preset, ...rest, method: change(method), expected: "an ablation" };
}
