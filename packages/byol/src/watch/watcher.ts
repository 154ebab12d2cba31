/** Looks at a network while it trains: what the steps themselves do not tell. Nothing here changes the training. */
import { type Device, div, mul, sqrt, sub, sum, type Tensor } from "@dawnstrap/tensor";
import { plainViews } from "../images/augment/view.js";
import { type DataSource, labelledPart, subset } from "../images/source.js";
import { extractFeatures } from "../tasks/extract.js";
import { knnAccuracy, neighbours } from "../tasks/knn.js";
import type { Learner } from "../learner/learner.js";
import type { Network } from "../learner/network.js";
import type { Preset } from "../presets/preset.js";
import type { WatchMetrics } from "../metrics.js";
import { permutation } from "../images/streams.js";
import type { TrainingPlan } from "../training/trainer.js";
import { effectiveRank } from "./effective-rank.js";

/** Images whose projections are looked at, at most. */
const watched = 256;
/** Images in the bank and among the queries of a kNN on the way, at most. */
const bankLimit = 2_000;
const queryLimit = 500;

export interface WatchOptions {
  readonly device: Device;
  readonly preset: Preset;
  readonly data: DataSource;
}

/**
 * Steps between two looks at the projections: 50, and more where batches are so small that the look would cost over a
 * hundredth of the training.
 */
export const lookInterval = (batch: number): number => Math.max(50, Math.ceil((10 * watched) / batch));

export class Watcher {
  private readonly interval: number;
  private images: Promise<{ pixels: Tensor; count: number }> | undefined;
  private readonly project: ReturnType<typeof captureProjections>;
  private readonly distance: ReturnType<typeof captureDistance> | undefined;

  constructor(
    private readonly learner: Pick<Learner, "online" | "target">,
    private readonly options: WatchOptions,
  ) {
    this.interval = lookInterval(options.preset.batch);
    this.project = captureProjections(learner.online, options);
    const { online, target } = learner;
    this.distance = target && captureDistance(online, target, options);
  }

  /** What is seen after a step (0 first): nothing after most of them. A pure function of the step and the networks. */
  async after(step: number, { steps, stepsPerEpoch }: TrainingPlan): Promise<WatchMetrics> {
    const { preset, data } = this.options;
    const { knnEvery } = preset.evaluate;
    const last = step === steps - 1;
    const looks = step % this.interval === 0 || last;
    const neighbours =
      data.classes.length > 0 && knnEvery > 0 && (step + 1) % (knnEvery * stepsPerEpoch) === 0;
    return {
      ...(looks && { effective_rank: await this.rank() }),
      ...(looks && this.distance && { target_distance: await (await this.distance()).item() }),
      ...(neighbours && { knn_accuracy: await this.neighbours() }),
    };
  }

  release(): void {
    this.project.release();
    this.distance?.release();
  }

  private async rank(): Promise<number> {
    this.images ??= this.readImages();
    const { pixels, count } = await this.images;
    const projections = await this.project(pixels);
    const width = projections.shape[1]!;
    const rows = (await projections.data()) as Float32Array;
    return effectiveRank(rows.slice(0, count * width), width);
  }

  private async neighbours(): Promise<number> {
    const { device, preset, data } = this.options;
    const forward = (views: Tensor) => this.learner.online.forward(views);
    const of = (set: DataSource["train"], limit: number) =>
      extractFeatures({ device, forward, image: preset.image }, set, data.image, limit);
    const { bank, queries, neighbours: wanted } = preset.evaluate;
    const features = await of(labelledPart(data.train), Math.min(bank, bankLimit));
    const held = await of(data.heldOut, Math.min(queries, queryLimit));
    const k = neighbours(wanted, features.labels.length);
    return knnAccuracy(device, features, held, data.classes.length, { k });
  }

  /** A fixed choice of held-out images, or of the others where none are held out; read once and kept on the device. */
  private async readImages(): Promise<{ pixels: Tensor; count: number }> {
    const { device, data } = this.options;
    const from = data.heldOut.length > 1 ? data.heldOut : data.train;
    const places = [...permutation(0, "subset", 0, from.length)].slice(0, watched);
    const chosen = subset(from, places);
    const { height, width, channels } = data.image;
    const pixels = new Uint8Array(places.length * height * width * channels);
    let count = 0;
    for (const image of await Promise.all(places.map((_, i) => chosen.read(i))))
      if (image) pixels.set(image, count++ * image.length);
    return { pixels: device.tensor(pixels, [places.length, height, width, channels]), count };
  }
}

/** g(f(x)) in evaluation mode: running averages neither depend on a batch nor move. */
const captureProjections = (online: Network, { device, preset }: Pick<WatchOptions, "device" | "preset">) =>
  device.capture((images: Tensor) =>
    online.head(online.forward(plainViews(images, preset.image)), { train: false }),
  );

/** ‖θ − ξ‖ / ‖θ‖ over all parameters. */
const captureDistance = (online: Network, target: Network, { device }: Pick<WatchOptions, "device">) =>
  device.capture(() => {
    const theta = online.arena.flat.value;
    const difference = sub(theta, target.arena.flat.value);
    return sqrt(div(sum(mul(difference, difference)), sum(mul(theta, theta))));
  });
