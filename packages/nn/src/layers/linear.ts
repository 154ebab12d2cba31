/** Fully connected layer. */
import { add, matmul, type Tensor } from "@dawnstrap/tensor";
import { type Initializer, truncatedNormal, zeros } from "../init.js";
import { Layer, Parameter } from "../module.js";
import { checkChannels } from "./channels.js";

export interface LinearOptions {
  /** Default true. */
  readonly bias?: boolean;
  readonly weightInit?: Initializer;
  readonly biasInit?: Initializer;
}

/** y = x·W + b on the last axis: [..., in] → [..., out], W [in, out], b [out]. */
export class Linear extends Layer {
  readonly weight: Parameter;
  readonly bias?: Parameter;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    { bias = true, weightInit = truncatedNormal(), biasInit = zeros }: LinearOptions = {},
  ) {
    super();
    this.weight = new Parameter([inFeatures, outFeatures], "weight", weightInit);
    if (bias) this.bias = new Parameter([outFeatures], "bias", biasInit);
  }

  /** @throws ShapeError where the last axis of x is not the layer's */
  forward(x: Tensor): Tensor {
    checkChannels("Linear", x, this.inFeatures);
    const y = matmul(x, this.weight.value);
    return this.bias ? add(y, this.bias.value) : y;
  }
}
