/** The presets, as data. */
import { firstView, secondView, type ViewAugmentation } from "./augment/settings.js";
import { UsageError } from "./errors.js";
import { byol } from "./methods/variants.js";
import { type Preset, parsePreset } from "./preset.js";

const adamw = { kind: "adamw", weightDecay: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/**
 * Digits have no colours, and a mirrored digit is not a digit. Area from 0.3: a smaller piece of a stroke says nothing.
 * Crops alone let the network tell writers' strokes instead of digits (kNN falls); shifted, blurred and inverted grey
 * values take that way out.
 */
const digitView: ViewAugmentation = {
  form: "deepmind",
  crop: { area: [0.3, 1], aspect: [3 / 4, 4 / 3] },
  flip: 0,
  jitter: { probability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0, hue: 0 },
  grey: 0,
  blur: { probability: 0.5, sigma: [0.1, 2] },
  solarize: 0.2,
};

const digits: Preset = {
  name: "digits",
  description: "Handwritten digits and a small ResNet: the main job, made for two cores",
  expected: "not measured yet",
  data: "digits",
  image: {
    stored: 28,
    size: 28,
    channels: 1,
    background: [0, 0, 0],
    mean: [0.13],
    deviation: [0.31],
    resize: "bilinear",
  },
  views: [digitView, digitView],
  network: { block: "basic", blocks: [1, 1, 1, 1], width: 16, stem: "small", zeroInit: false },
  // In a run this short a target that starts elsewhere, or follows slowly, teaches its own random features.
  method: byol(256, 64, { start: "copy", tau: 0.9 }),
  optimizer: { ...adamw, learningRate: 4e-3 },
  schedule: { warmupEpochs: 0.5 },
  batch: 64,
  epochs: 8,
  evaluate: { bank: 10_000, queries: 10_000, neighbours: 200, knnEvery: 0, subsets: 10 },
};

const imagenetColours = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } satisfies Partial<
  Preset["image"]
>;

const emoji: Preset = {
  name: "emoji",
  description: "Emoji by two vendors, nine categories",
  expected: "not measured yet",
  data: "emoji",
  image: {
    stored: 64,
    size: 32,
    channels: 3,
    background: [255, 255, 255],
    ...imagenetColours,
    resize: "bicubic",
  },
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

const photos: Preset = {
  name: "photos",
  description: "Any folder of photographs at 64 pixels, with the paper's augmentations and a ResNet-18",
  expected: "a start for your own data; for small sets expect to train hundreds of epochs on a GPU",
  data: "a folder of images",
  image: {
    stored: 80,
    size: 64,
    channels: 3,
    background: [255, 255, 255],
    ...imagenetColours,
    resize: "bicubic",
  },
  views: [firstView, secondView],
  network: { block: "basic", blocks: [2, 2, 2, 2], width: 64, stem: "small", zeroInit: false },
  method: byol(4096, 256, { start: "separate", tau: 0.99 }),
  optimizer: { kind: "lars", learningRate: 2, weightDecay: 1e-6, momentum: 0.9, trust: 1e-3 },
  schedule: { warmupEpochs: 10 },
  batch: 256,
  epochs: 200,
  evaluate: { bank: 20_000, queries: 5_000, neighbours: 200, knnEvery: 0, subsets: 10 },
};

const tiny: Preset = {
  ...digits,
  name: "tiny",
  description: "A toy for tests: a few channels, small batches, every augmentation",
  expected: "learns nothing worth having",
  image: { ...digits.image, size: 16, channels: 3, mean: [0.13, 0.13, 0.13], deviation: [0.31, 0.31, 0.31] },
  views: [firstView, secondView],
  network: { block: "basic", blocks: [1, 1], width: 4, stem: "small", zeroInit: false },
  method: byol(16, 8, { start: "separate", tau: 0.9 }),
  batch: 16,
  epochs: 0.1,
  evaluate: { bank: 500, queries: 200, neighbours: 20, knnEvery: 0, subsets: 2 },
};

/** Every preset, by name. */
export const presets: Readonly<Record<string, Preset>> = Object.fromEntries(
  [digits, emoji, photos, tiny].map((preset) => [preset.name, parsePreset(preset)]),
);

/** The preset of a name. Throws UsageError listing the names there are. */
export function presetNamed(name: string): Preset {
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (!preset)
    throw new UsageError(`preset: there is no "${name}"; there are ${Object.keys(presets).join(", ")}`);
  return preset;
}

/** The preset that suits data when none is named. */
export const presetFor = (data: string): string => (data === "digits" || data === "emoji" ? data : "photos");
