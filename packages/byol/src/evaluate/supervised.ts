/** Training with labels on top of an encoder: all of its weights, by SGD with Nesterov momentum (byol-spec §2.1, §3, §4.2). */
import { valueAndGrad } from "@dawnstrap/autograd";
import { crossEntropy, Linear, Module, ResNet, Sgd, warmupCosine } from "@dawnstrap/nn";
import type { Device, Tensor } from "@dawnstrap/tensor";
import { drawViews } from "../augment/parameters.js";
import type { ViewAugmentation } from "../augment/settings.js";
import { makeViews } from "../augment/view.js";
import { BatchLoader } from "../data/loader.js";
import type { ImageSet, ImageShape } from "../data/source.js";
import { TrainingError } from "../errors.js";
import { Stream } from "../streams.js";
import { oneVsRest } from "./logistic.js";
import { membershipsOf, presenceOf } from "./presence.js";
import { type EncoderFile, loadEncoder, withNorm } from "./encoder-file.js";

/** The encoder and a new linear layer on its features. */
export class Classifier extends Module {
  readonly encoder: ResNet;
  readonly head: Linear;

  /** @param decay of the running averages of batch norms, d: average ← d·average + (1 − d)·batch */
  constructor({ architecture }: Pick<EncoderFile, "architecture">, classes: number, decay: number) {
    super();
    this.encoder = new ResNet(withNorm(architecture, { momentum: 1 - decay }));
    this.head = new Linear(this.encoder.featureSize, classes);
  }

  forward(views: Tensor, options: { train: boolean }): Tensor {
    return this.head.forward(this.encoder.forward(views, options));
  }
}

/** Crop and mirror of a view, and nothing else: how all protocols of the paper augment. */
export const cropAndFlip = (view: ViewAugmentation): ViewAugmentation => ({
  ...view,
  jitter: { ...view.jitter, probability: 0 },
  grey: 0,
  blur: { ...view.blur, probability: 0 },
  solarize: 0,
});

/** Decay of the running averages when fine-tuning, max(1 − 10/s, 0.9), s steps an epoch (byol-spec §4.2). */
export const fineTuneDecay = (stepsPerEpoch: number): number => Math.max(1 - 10 / stepsPerEpoch, 0.9);

/** Images with labels, and how they are brought to the encoder. */
export interface LabelledImages {
  readonly set: ImageSet;
  readonly shape: ImageShape;
  readonly classes: number;
}

export interface FineTuneOptions {
  readonly learningRate: number;
  /** L2 penalty, added to the gradient of the weights. Default 0. */
  readonly weightDecay?: number;
  readonly steps: number;
  readonly batch: number;
  readonly seed: number;
  /** Start from the file's weights (default), or from a random initialisation of the same network. */
  readonly from?: "encoder" | "scratch";
  readonly onStep?: (step: number, loss: number) => void;
}

/**
 * Trains all weights with cross-entropy (one-vs-rest where images show several classes) on cropped and mirrored images;
 * Nesterov momentum 0.9, cosine to 0, no warm-up.
 *
 * @returns the trained classifier; its features are as good as its head
 * @throws TrainingError when the loss is not a number
 */
export async function fineTune(
  device: Device,
  encoder: EncoderFile,
  labelled: LabelledImages,
  options: FineTuneOptions,
): Promise<Classifier> {
  const { set, shape, classes } = labelled;
  const { steps, seed, from = "encoder", learningRate, weightDecay = 0 } = options;
  const batch = Math.min(options.batch, set.length);
  const loader = new BatchLoader(set, shape, { batch, seed });
  const network = new Classifier(encoder, classes, fineTuneDecay(loader.stepsPerEpoch));
  network.init(device, { seed: new Stream(seed, "initOnline").bits() });
  if (from === "encoder") loadEncoder(network.encoder, encoder);
  const optimizer = new Sgd(network.arena, { momentum: 0.9, nesterov: true, weightDecay });
  const view = cropAndFlip(encoder.view);
  const batches = viewsOf(device, loader, labelled, { image: encoder.image, view, seed, batch });
  const lossOf = set.presence ? oneVsRest : crossEntropy;
  const step = device.capture((images: Tensor, rows: Tensor, targets: Tensor, scalars: Tensor) => {
    const views = makeViews(images, rows, view, encoder.image);
    const loss = () => lossOf(network.forward(views, { train: true }), targets);
    const { value, grads } = valueAndGrad(loss)(...network.arena.values());
    optimizer.update(grads, scalars);
    return value;
  });
  try {
    for (let k = 0; k < steps; k++) {
      const { images, rows, targets } = await batches.at(k);
      const lr = warmupCosine({ peak: learningRate, warmupSteps: 0, totalSteps: steps }, k);
      const loss = await (await step(images, rows, targets, device.tensor(optimizer.scalars({ lr })))).item();
      if (!Number.isFinite(loss))
        throw new TrainingError(
          `fine-tuning: the loss is ${loss} at step ${k} with learning rate ${learningRate} (try a smaller one)`,
        );
      options.onStep?.(k, loss);
    }
  } finally {
    step.release();
  }
  return network;
}

/** Batches with the rows that make their views, and what is to be learnt: labels [batch], or memberships [batch, classes]. */
export function viewsOf(
  device: Device,
  loader: BatchLoader,
  { set: { presence }, shape, classes }: LabelledImages,
  of: Pick<EncoderFile, "image" | "view"> & { seed: number; batch: number },
) {
  const { image, view, seed, batch } = of;
  const geometry = { ...shape, size: image.size };
  return {
    async at(step: number) {
      const { indices, pixels, labels } = await loader.at(step);
      const drawn = drawViews(view, geometry, { seed, step, view: 0, images: indices });
      return {
        images: device.tensor(pixels, [batch, shape.height, shape.width, shape.channels]),
        rows: device.tensor(drawn, [batch, drawn.length / batch]),
        targets: presence
          ? device.tensor(membershipsOf(presenceOf(presence, indices, classes)), [batch, classes])
          : device.tensor(labels),
      };
    },
  };
}
