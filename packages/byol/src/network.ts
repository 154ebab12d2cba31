/** The networks of BYOL: an encoder f with its projector g, predictor q and linear probe (byol-spec §1.3). */
import { Linear, Mlp, Module, ResNet } from "@dawnstrap/nn";
import type { Tensor } from "@dawnstrap/tensor";
import type { Preset } from "./preset.js";

/** What one network makes of one view. */
export interface Outputs {
  /** y = f(x), float32 [batch, encoder.featureSize]: what is kept of it all. */
  readonly embedding: Tensor;
  /** z = g(y). */
  readonly projection: Tensor;
  /** q(z). */
  readonly prediction: Tensor;
}

const train = { train: true } as const;

export class ByolNetwork extends Module {
  readonly encoder: ResNet;
  readonly projector: Mlp;
  readonly predictor: Mlp;
  /** Watches how separable the embedding is while it trains; no gradient of it reaches the encoder. */
  declare readonly probe?: Linear;

  /** @param classes of the probe; 0 for none */
  constructor({ network, image, projector, predictor }: Preset, classes: number) {
    super();
    this.encoder = new ResNet({
      block: network.block,
      blocks: network.blocks,
      baseWidth: network.width,
      stem: network.stem,
      inputChannels: image.channels,
      zeroInitLastNorm: network.zeroInit,
      checkpoint: network.checkpoint,
    });
    const { output } = projector;
    // The released code has a bias in the first layer and none in the last, other than the paper's listing.
    const heads = { lastBias: false };
    this.projector = new Mlp([this.encoder.featureSize, projector.hidden, output], heads);
    this.predictor = new Mlp([output, predictor.hidden, output], heads);
    if (classes > 0) this.probe = new Linear(this.encoder.featureSize, classes);
  }

  /** f, g and q in training mode: batch statistics, which also move the running averages. */
  online(view: Tensor): Outputs {
    const { embedding, projection } = this.target(view);
    return { embedding, projection, prediction: this.predictor.forward(projection, train) };
  }

  /** f and g in training mode. */
  target(view: Tensor): Pick<Outputs, "embedding" | "projection"> {
    const embedding = this.encoder.forward(view, train);
    return { embedding, projection: this.projector.forward(embedding, train) };
  }

  /** Features of images for evaluation: f with running averages. */
  forward(images: Tensor): Tensor {
    return this.encoder.forward(images, { train: false });
  }
}
