/** Training with labels on top of an encoder: all of its weights, by SGD with Nesterov momentum (paper, App. C.1 and D.3). */
import { valueAndGrad } from "@dawnstrap/autograd";
import { copyState, crossEntropy, Linear, Layer, type Optimizer, ResNet, Sgd } from "@dawnstrap/nn";
import { add, type CapturedFunction, type Device, mul, type Tensor } from "@dawnstrap/tensor";
import { cropAndFlip, type ViewAugmentation } from "../images/augment/settings.js";
import { makeViews } from "../images/augment/view.js";
import { Stream } from "../images/streams.js";
import { oneVsRest } from "./logistic.js";
import { type LabelledImages, train } from "./loop.js";
import { type EncoderFile, loadEncoder, withNorm } from "./encoder.js";

/** The encoder and a new linear layer on its features. */
export class Classifier extends Layer {
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

/** Decay of the running averages when fine-tuning, max(1 − 10/s, 0.9), s steps an epoch (paper, App. D.3). */
export const fineTuneDecay = (stepsPerEpoch: number): number => Math.max(1 - 10 / stepsPerEpoch, 0.9);

/** What all trainings of a sweep have in common. */
export interface FineTunerOptions {
  readonly batch: number;
  readonly seed: number;
  /** Start from the file's weights (default), or from a random initialisation of the same network. */
  readonly from?: "encoder" | "scratch";
}

export interface FineTuneOptions {
  readonly learningRate: number;
  /** L2 penalty, added to the gradient of the weights. Default 0. */
  readonly weightDecay?: number;
  readonly steps: number;
  readonly onStep?: (step: number, loss: number) => void;
}

/**
 * Trains all weights with cross-entropy (one-vs-rest where images show several classes) on cropped and mirrored images;
 * Nesterov momentum 0.9, cosine to 0, no warm-up. Every training begins at the same start, in the same memory: a sweep of
 * many takes no more than one.
 */
export class FineTuner {
  private readonly start: Classifier;
  private readonly network: Classifier;
  private readonly optimizer: Optimizer;
  private readonly batch: number;
  private readonly view: ViewAugmentation;
  private readonly step: CapturedFunction<[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor>;

  constructor(
    private readonly device: Device,
    private readonly encoder: EncoderFile,
    private readonly labelled: LabelledImages,
    private readonly options: FineTunerOptions,
  ) {
    const { set, classes } = labelled;
    const { seed, from = "encoder" } = options;
    this.batch = Math.min(options.batch, set.length);
    const decay = fineTuneDecay(Math.floor(set.length / this.batch));
    const init = { seed: new Stream(seed, "initOnline").bits() };
    this.start = new Classifier(encoder, classes, decay).init(device, init);
    if (from === "encoder") loadEncoder(this.start.encoder, encoder);
    const network = new Classifier(encoder, classes, decay).init(device, init);
    this.network = network;
    const optimizer = new Sgd(network.arena, { momentum: 0.9, nesterov: true });
    this.optimizer = optimizer;
    this.view = cropAndFlip(encoder.view);
    const lossOf = set.presence ? oneVsRest : crossEntropy;
    // The penalty is an argument, and not the optimiser's own, so that one program serves the whole sweep.
    this.step = device.capture((images, rows, targets, scalars, penalty) => {
      const views = makeViews(images, rows, this.view, encoder.image);
      const weights = network.arena.values();
      const { value, grads } = valueAndGrad(() => lossOf(network.forward(views, { train: true }), targets))(
        ...weights,
      );
      const penalised = grads.map((grad, i) =>
        network.arena.segments[i]!.kind === "weight" ? add(grad, mul(penalty, weights[i]!)) : grad,
      );
      optimizer.update(penalised, scalars);
      return value;
    });
  }

  /**
   * Trains from the start on.
   *
   * @returns the trained classifier, good until the next training; its features are as good as its head
   * @throws TrainingError when the loss is not a number
   */
  async train({ learningRate, weightDecay = 0, steps, onStep }: FineTuneOptions): Promise<Classifier> {
    const { device, network, optimizer, batch } = this;
    const { seed } = this.options;
    await device.scope(async () => {
      copyState(this.start, network);
      for (const state of optimizer.states.values()) state.assign(device.zeros(state.shape));
    });
    const penalty = Float32Array.of(weightDecay);
    await train({
      ...{ device, labelled: this.labelled, image: this.encoder.image, view: this.view, seed, batch, steps },
      peak: learningRate,
      step: ({ images, rows, targets }, lr) =>
        this.step(images, rows, targets, optimizer.numbers({ lr }), device.tensor(penalty)),
      diverged: (loss, step) =>
        `fine-tuning: the loss is ${loss} at step ${step} with learning rate ${learningRate} (try a smaller one)`,
      ...(onStep && { onStep }),
    });
    return network;
  }

  release(): void {
    this.step.release();
  }
}
