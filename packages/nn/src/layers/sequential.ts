/** Layers one after another, and the multi-layer perceptron. */
import { DawnstrapError, type Tensor } from "@dawnstrap/tensor";
import { type ForwardOptions, Layer } from "../module.js";
import { Activation, type ActivationName } from "./activation.js";
import { BatchNorm, type BatchNormOptions } from "./batch-norm.js";
import { Linear } from "./linear.js";

/** Applies its layers in order. Their names are their positions, as in PyTorch: `0.weight`. */
export class Sequential extends Layer {
  [position: number]: Layer;
  readonly length: number;

  constructor(...layers: Layer[]) {
    super();
    layers.forEach((layer, i) => {
      this[i] = layer;
    });
    this.length = layers.length;
  }

  layers(): Layer[] {
    return Array.from({ length: this.length }, (_, i) => this[i]!);
  }

  forward(x: Tensor, options: ForwardOptions): Tensor {
    return this.layers().reduce((y, layer) => layer.forward(y, options), x);
  }
}

export interface MlpOptions {
  /** Batch norm after every linear layer but the last. Default true; an object passes options on. */
  readonly norm?: boolean | BatchNormOptions;
  readonly activation?: ActivationName;
  /** Bias of the last linear layer. Default true. */
  readonly lastBias?: boolean;
}

/**
 * Linear → (norm) → activation for each hidden size, then a linear layer to the last size. Positions count as
 * in PyTorch's nn.Sequential: with a norm, `0` linear, `1` norm, `3` linear.
 */
export class Mlp extends Sequential {
  /**
   * @param sizes features in, hidden sizes, features out
   * @throws DawnstrapError where there are fewer than two
   */
  constructor(
    sizes: readonly number[],
    { norm = true, activation = "relu", lastBias = true }: MlpOptions = {},
  ) {
    if (sizes.length < 2)
      throw new DawnstrapError(
        `Mlp: sizes [${sizes.join(", ")}] name no layer (give features in, hidden sizes, features out)`,
      );
    const hidden = sizes
      .slice(1, -1)
      .flatMap((size, i) => [
        new Linear(sizes[i]!, size),
        ...(norm ? [new BatchNorm(size, norm === true ? {} : norm)] : []),
        new Activation(activation),
      ]);
    super(...hidden, new Linear(sizes.at(-2)!, sizes.at(-1)!, { bias: lastBias }));
  }
}
