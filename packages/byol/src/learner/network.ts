/** The networks of a method: an encoder f with the heads that the method gives it, and a linear probe (Grill et al. 2020, §3.3). */
import { type ForwardOptions, Linear, Mlp, Module, ResNet } from "@dawnstrap/nn";
import type { Tensor } from "@dawnstrap/tensor";
import { standardise } from "./loss.js";
import type { Head, NetworkSettings } from "./settings.js";

/** What one network makes of one view. */
export interface Outputs {
  /** y = f(x), float32 [batch, encoder.featureSize]: what is kept of it all. */
  readonly embedding: Tensor;
  /** z = g(y); y itself where there is no projector. */
  readonly projection: Tensor;
  /** q(z); z itself where there is no predictor. */
  readonly prediction: Tensor;
}

/** Heads of a network; null or left out, there is none. */
export interface Heads {
  readonly projector?: Head | null;
  readonly predictor?: Head | null;
}

const train = { train: true } as const;

export class Network extends Module {
  readonly encoder: ResNet;
  /** Numbers of a projection. */
  readonly projectionSize: number;
  declare readonly projector?: Mlp;
  private readonly outputNorm: boolean;
  declare readonly predictor?: Mlp;
  /** Watches how separable the embedding is while it trains; in the supervised method it is the classifier. */
  declare readonly probe?: Linear;

  /** @param classes of the probe; 0 for none */
  constructor(
    { network, image }: { network: NetworkSettings; image: { channels: number } },
    { projector, predictor }: Heads,
    classes: number,
  ) {
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
    const { featureSize } = this.encoder;
    this.outputNorm = projector?.outputNorm ?? false;
    if (projector) this.projector = mlp(featureSize, projector);
    this.projectionSize = projector?.output ?? featureSize;
    if (predictor) this.predictor = mlp(this.projectionSize, predictor);
    if (classes > 0) this.probe = new Linear(featureSize, classes);
  }

  /** f, then g, of a view, in training mode: batch statistics, which also move the running averages. */
  project(view: Tensor): Pick<Outputs, "embedding" | "projection"> {
    const embedding = this.encoder.forward(view, train);
    return { embedding, projection: this.head(embedding, train) };
  }

  /** f, g, then q, of a view, in training mode. */
  predict(view: Tensor): Outputs {
    const { embedding, projection } = this.project(view);
    return { embedding, projection, prediction: this.predictor?.forward(projection, train) ?? projection };
  }

  /** g of an embedding; the embedding itself where there is no projector. */
  head(embedding: Tensor, options: ForwardOptions): Tensor {
    const projection = this.projector?.forward(embedding, options) ?? embedding;
    return this.outputNorm ? standardise(projection) : projection;
  }

  /** Features of images for evaluation: f with running averages. */
  forward(images: Tensor): Tensor {
    return this.encoder.forward(images, { train: false });
  }
}

/** Its last layer gets neither norm nor activation. */
const mlp = (input: number, { hidden, norm, output, bias }: Head): Mlp =>
  new Mlp([input, ...hidden, output], { norm, lastBias: bias });
