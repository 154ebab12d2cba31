/** Convolution of image batches. */
import { add, conv2d, type Tensor } from "@dawnstrap/tensor";
import { type Initializer, truncatedNormal, zeros } from "../init.js";
import { Layer, Parameter } from "../module.js";
import { checkChannels } from "./channels.js";

/**
 * "same": ceil(extent/stride) positions, the odd pixel of padding at the bottom and right (TensorFlow,
 * DeepMind's nets); "torch": half the window on every side (torchvision's nets). They differ for even strides
 * only.
 */
export type PaddingStyle = "same" | "torch";

/** Padding of a square window in the given style, as the ops want it. */
export const paddingOf = (style: PaddingStyle, kernel: number, dilation = 1): "same" | number =>
  style === "same" ? "same" : ((kernel - 1) * dilation) >> 1;

export interface Conv2dLayerOptions {
  /** Default 1. */
  readonly stride?: number;
  readonly dilation?: number;
  readonly groups?: number;
  /** A style, "valid", or zeros on every side. Default "same". */
  readonly padding?: PaddingStyle | "valid" | number;
  /** Default true. */
  readonly bias?: boolean;
  readonly weightInit?: Initializer;
  readonly biasInit?: Initializer;
}

/** Square-window convolution: [batch, h, w, in] → [batch, h', w', out], weight [k, k, in / groups, out]. */
export class Conv2d extends Layer {
  readonly weight: Parameter;
  readonly bias?: Parameter;
  private readonly options: {
    stride: number;
    dilation: number;
    groups: number;
    padding: "same" | "valid" | number;
  };

  constructor(
    readonly inChannels: number,
    outChannels: number,
    kernel: number,
    options: Conv2dLayerOptions = {},
  ) {
    super();
    const { stride = 1, dilation = 1, groups = 1, padding = "same", bias = true } = options;
    const { weightInit = truncatedNormal(), biasInit = zeros } = options;
    this.options = {
      stride,
      dilation,
      groups,
      padding: padding === "torch" ? paddingOf(padding, kernel, dilation) : padding,
    };
    this.weight = new Parameter([kernel, kernel, inChannels / groups, outChannels], "weight", weightInit);
    if (bias) this.bias = new Parameter([outChannels], "bias", biasInit);
  }

  /** @throws ShapeError where the channels of x are not those of the layer */
  forward(x: Tensor): Tensor {
    checkChannels("Conv2d", x, this.inChannels);
    const y = conv2d(x, this.weight.value, this.options);
    return this.bias ? add(y, this.bias.value) : y;
  }
}
