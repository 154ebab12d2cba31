/** The training loop of everything that learns from labelled images: batches of views, cosine to 0, a loss that is watched. */
import { warmupCosine } from "@dawnstrap/nn";
import type { Device, Tensor } from "@dawnstrap/tensor";
import { TrainingError } from "../errors.js";
import type { ViewAugmentation } from "../images/augment/settings.js";
import { BatchLoader } from "../images/loader.js";
import type { ImageSet, ImageShape } from "../images/source.js";
import { storedViews } from "../images/views/stored.js";
import { toDevice } from "../images/views/views.js";
import type { EncoderFile } from "./encoder.js";
import { membershipsOf, presenceOf } from "./presence.js";

/** Images with labels, and how they are brought to the encoder. */
export interface LabelledImages {
  readonly set: ImageSet;
  readonly shape: ImageShape;
  readonly classes: number;
}

/** A batch on the device: what views are made of, and labels [batch], or memberships [batch, classes]. */
export interface ViewBatch {
  readonly images: Tensor;
  readonly rows: Tensor;
  readonly targets: Tensor;
}

export interface LoopOptions {
  readonly device: Device;
  readonly labelled: LabelledImages;
  readonly image: EncoderFile["image"];
  readonly view: ViewAugmentation;
  readonly seed: number;
  readonly batch: number;
  readonly steps: number;
  /** Learning rate of the first step; that of step k is peak·(1 + cos(πk/steps))/2. */
  readonly peak: number;
  /** Updates the weights and returns the loss. */
  readonly step: (batch: ViewBatch, rate: number) => Promise<Tensor>;
  /** What is said of a loss that is not a number. */
  readonly diverged: (loss: number, step: number) => string;
  readonly onStep?: (step: number, loss: number) => void;
}

/** @throws TrainingError when the loss is not a number */
export async function train(options: LoopOptions): Promise<void> {
  const { device, steps, peak, step, diverged, onStep } = options;
  const at = batches(options);
  for (let k = 0; k < steps; k++) {
    const rate = warmupCosine({ peak, warmupSteps: 0, totalSteps: steps }, k);
    const loss = await device.scope(async () => (await step(await at(k), rate)).item());
    if (!Number.isFinite(loss)) throw new TrainingError(diverged(loss, k));
    onStep?.(k, loss);
  }
}

function batches({ device, labelled, image, view, seed, batch }: LoopOptions) {
  const { set, shape, classes } = labelled;
  const { presence } = set;
  const loader = new BatchLoader(set, shape, { batch, seed });
  const source = storedViews({ image, views: [view] }, shape);
  return async (step: number): Promise<ViewBatch> => {
    const read = await loader.at(step);
    const { images, rows } = toDevice(device, source, read, { seed, step });
    const targets = presence
      ? device.tensor(membershipsOf(presenceOf(presence, read.indices, classes)), [batch, classes])
      : device.tensor(read.labels!);
    return { images, rows: rows[0]!, targets };
  };
}
