/**
 * Linear evaluation as in the paper (paper, App. C.1): the encoder is frozen, its batch norms use their running averages,
 * and a linear classifier learns by SGD from augmented images, Nesterov momentum 0.9, cosine to 0.
 */
import { valueAndGrad } from "@dawnstrap/autograd";
import { crossEntropy, Linear, scaledLearningRate, Sgd, stepsOf } from "@dawnstrap/nn";
import { add, type Device, div, mean, mul, narrow, tanh, type Tensor } from "@dawnstrap/tensor";
import { makeViews } from "../images/augment/view.js";
import { Stream } from "../images/streams.js";
import { buildEncoder, type EncoderFile } from "./encoder.js";
import { cropAndFlip } from "../images/augment/settings.js";
import { type LabelledImages, train } from "./loop.js";

/** The paper's sweep (App. C.1): base rates, for a batch of 256. */
export const paperRates: readonly number[] = [0.4, 0.3, 0.2, 0.1, 0.05];

export interface FrozenLinearOptions {
  /** Base learning rates: rate·batch/256 is the peak. Default: the paper's five. */
  readonly rates?: readonly number[];
  /** Default 80. */
  readonly epochs?: number;
  /** Default 1024; fewer images make a smaller batch. */
  readonly batch?: number;
  readonly seed: number;
  /** Logits ← α·tanh(logits/α) and a penalty β·mean(logits²), α = 20, β = 0.01 (the paper's Table 7). Default false. */
  readonly regularised?: boolean;
  /** "crop" (default): cropped and mirrored; "view": by all of the pre-training's first view (the paper's Table 7). */
  readonly augment?: "crop" | "view";
  readonly onStep?: (step: number, steps: number) => void;
}

export interface FrozenLinear {
  readonly rates: readonly number[];
  /** As it was trained, defaults filled in. */
  readonly epochs: number;
  readonly batch: number;
  readonly steps: number;
  readonly regularised: boolean;
  readonly augment: "crop" | "view";
  /** Logits of features, row-major [rows, classes], by the classifier of each rate. */
  logits(features: Float32Array): Promise<Float32Array[]>;
}

const regularisation = { alpha: 20, beta: 0.01 } as const;

/** Trains one classifier per learning rate, all on the same frozen features. */
export async function trainFrozenLinear(
  device: Device,
  file: EncoderFile,
  labelled: LabelledImages,
  options: FrozenLinearOptions,
): Promise<FrozenLinear> {
  const { rates = paperRates, epochs = 80, seed, regularised = false, augment = "crop" } = options;
  const { set, classes } = labelled;
  const batch = Math.min(options.batch ?? 1024, set.length);
  const steps = Math.max(1, stepsOf(epochs, set.length, batch));
  const encoder = buildEncoder(device, file);
  // Side by side in one layer: SGD without decay is linear in the gradient, so a loss times s learns at the rate s.
  const heads = new Linear(encoder.featureSize, rates.length * classes);
  heads.init(device, { seed: new Stream(seed, "initOnline").bits() });
  const optimizer = new Sgd(heads.arena, { momentum: 0.9, nesterov: true });
  const logitsOf = (features: Tensor): Tensor[] => {
    const all = heads.forward(features);
    const own = rates.map((_, r) => narrow(all, 1, r * classes, (r + 1) * classes));
    const { alpha } = regularisation;
    return regularised ? own.map((x) => mul(tanh(div(x, alpha)), alpha)) : own;
  };
  const { image } = file;
  const view = augment === "view" ? file.view : cropAndFlip(file.view);
  const step = device.capture((images: Tensor, rows: Tensor, labels: Tensor, scalars: Tensor) => {
    const features = encoder.forward(makeViews(images, rows, view, image), { train: false });
    const lossOf = (logits: Tensor): Tensor => {
      const loss = crossEntropy(logits, labels);
      return regularised ? add(loss, mul(mean(mul(logits, logits)), regularisation.beta)) : loss;
    };
    const { value, grads } = valueAndGrad(() =>
      logitsOf(features)
        .map((logits, r) => mul(lossOf(logits), scaledLearningRate(rates[r]!, batch)))
        .reduce((a, b) => add(a, b)),
    )(...heads.arena.values());
    optimizer.update(grads, scalars);
    return value;
  });
  try {
    await train({
      ...{ device, labelled, image, view, seed, batch, steps, peak: 1 },
      step: ({ images, rows, targets }, lr) => step(images, rows, targets, optimizer.numbers({ lr })),
      diverged: (_, step) =>
        `linear evaluation: a loss is not a number at step ${step}; leave out the largest of the rates ${rates.join(", ")}`,
      onStep: (step) => options.onStep?.(step, steps),
    });
  } finally {
    step.release();
  }
  return {
    ...{ rates, epochs, batch, steps, regularised, augment },
    async logits(features) {
      const x = device.tensor(features, [features.length / encoder.featureSize, encoder.featureSize]);
      const each = logitsOf(x);
      await device.realize(each);
      return Promise.all(each.map(async (logits) => Float32Array.from(await logits.data())));
    },
  };
}
