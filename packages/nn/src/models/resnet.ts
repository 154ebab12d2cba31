/** ResNet v1, post-activation (He et al. 2015), with the options of DeepMind's code for BYOL and of torchvision. */
import { checkpoint } from "@dawnstrap/autograd";
import { add, DawnstrapError, relu, type Tensor } from "@dawnstrap/tensor";
import { BatchNorm, type BatchNormOptions } from "../layers/batch-norm.js";
import { Conv2d, type PaddingStyle, paddingOf } from "../layers/conv.js";
import { Linear } from "../layers/linear.js";
import { GlobalAvgPool, MaxPool } from "../layers/pooling.js";
import { Sequential } from "../layers/sequential.js";
import { type ForwardOptions, Layer } from "../module.js";

export const resnetDepths = {
  18: { block: "basic", blocks: [2, 2, 2, 2] },
  34: { block: "basic", blocks: [3, 4, 6, 3] },
  50: { block: "bottleneck", blocks: [3, 4, 6, 3] },
  101: { block: "bottleneck", blocks: [3, 4, 23, 3] },
  152: { block: "bottleneck", blocks: [3, 8, 36, 3] },
  200: { block: "bottleneck", blocks: [3, 24, 36, 3] },
} as const;
export type ResNetDepth = keyof typeof resnetDepths;

export interface ResNetOptions {
  /** Two 3×3 convolutions, or 1×1, 3×3, 1×1 with four times the channels going out. */
  readonly block?: "basic" | "bottleneck";
  /** Blocks of each group; every group but the first halves the image. */
  readonly blocks?: readonly number[];
  /** Multiplies the channels of stem and groups. Default 1. */
  readonly width?: number;
  /** Channels of the stem before `width`, doubled from group to group. Default 64. */
  readonly baseWidth?: number;
  readonly inputChannels?: number;
  /**
   * "imagenet": 7×7 stride 2 and 3×3 stride-2 max-pool; "small": 3×3 stride 1, no pool. Default "imagenet".
   */
  readonly stem?: "imagenet" | "small";
  /** A linear classifier on the pooled features; without it `forward` returns the features. */
  readonly classes?: number;
  /**
   * The last norm of each block starts at scale 0, so that blocks start as their shortcuts. Default false.
   */
  readonly zeroInitLastNorm?: boolean;
  /**
   * 1×1 projection in the first group also where shapes agree: DeepMind's basic blocks (default) against
   * torchvision's.
   */
  readonly projectionOnFirstGroup?: boolean;
  /** See PaddingStyle. Default "same". */
  readonly padding?: PaddingStyle;
  readonly norm?: BatchNormOptions;
  /**
   * Extent of the image divided by that of the last map, 32 with the stem for ImageNet. With 16 or 8 the last groups keep
   * their extent and dilate their windows instead, for tasks that ask where things are (as torchvision's
   * `replace_stride_with_dilation`); the weights are the same. Default: what the strides make.
   */
  readonly outputStride?: 8 | 16 | 32;
  /**
   * Keeps, in training mode, only what leaves the stem and each group ("stage") or each block ("block"), and computes
   * what lies between a second time for the backward pass. Same results, less memory. Default: keeps everything.
   */
  readonly checkpoint?: "stage" | "block";
}

/** Options that make the networks of torchvision, for its weights and for comparisons. */
export const torchvisionForm = {
  projectionOnFirstGroup: false,
  padding: "torch",
  norm: { runningVariance: "unbiased" },
} as const satisfies ResNetOptions;

interface BlockContext {
  readonly padding: PaddingStyle;
  readonly norm: BatchNormOptions;
  readonly zeroInitLastNorm: boolean;
}

/** What both kinds of block share: y = relu(branch(x) + shortcut(x)). */
abstract class ResidualBlock extends Layer {
  abstract readonly downsample?: Sequential;
  protected abstract branch(x: Tensor, options: ForwardOptions): Tensor;

  forward(x: Tensor, options: ForwardOptions): Tensor {
    const y = this.branch(x, options);
    return relu(add(y, this.downsample ? this.downsample.forward(x, options) : x));
  }
}

const convolution = (
  from: number,
  to: number,
  kernel: number,
  stride: number,
  padding: PaddingStyle,
  dilation = 1,
): Conv2d => new Conv2d(from, to, kernel, { stride, padding, dilation, bias: false });

/** How a block of a group moves its windows. */
interface Windows {
  readonly stride: number;
  /** Of the convolution that has the stride. */
  readonly dilation: number;
  /** Of those behind it. */
  readonly after: number;
}

const projection = (from: number, to: number, stride: number, { padding, norm }: BlockContext): Sequential =>
  new Sequential(convolution(from, to, 1, stride, padding), new BatchNorm(to, norm));

const lastNorm = (channels: number, { norm, zeroInitLastNorm }: BlockContext): BatchNorm =>
  new BatchNorm(channels, { ...norm, scaleInit: zeroInitLastNorm ? 0 : 1 });

class BasicBlock extends ResidualBlock {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm;
  readonly downsample?: Sequential;

  constructor(
    from: number,
    to: number,
    { stride, dilation, after }: Windows,
    project: boolean,
    context: BlockContext,
  ) {
    super();
    this.conv1 = convolution(from, to, 3, stride, context.padding, dilation);
    this.bn1 = new BatchNorm(to, context.norm);
    this.conv2 = convolution(to, to, 3, 1, context.padding, after);
    this.bn2 = lastNorm(to, context);
    if (project) this.downsample = projection(from, to, stride, context);
  }

  protected branch(x: Tensor, options: ForwardOptions): Tensor {
    const y = relu(this.bn1.forward(this.conv1.forward(x), options));
    return this.bn2.forward(this.conv2.forward(y), options);
  }
}

/** The stride sits on the 3×3 convolution ("v1.5"), as in DeepMind's and torchvision's nets. */
class Bottleneck extends ResidualBlock {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm;
  readonly downsample?: Sequential;

  constructor(
    from: number,
    to: number,
    { stride, dilation }: Windows,
    project: boolean,
    context: BlockContext,
  ) {
    super();
    const inner = to / 4;
    this.conv1 = convolution(from, inner, 1, 1, context.padding);
    this.bn1 = new BatchNorm(inner, context.norm);
    this.conv2 = convolution(inner, inner, 3, stride, context.padding, dilation);
    this.bn2 = new BatchNorm(inner, context.norm);
    this.conv3 = convolution(inner, to, 1, 1, context.padding);
    this.bn3 = lastNorm(to, context);
    if (project) this.downsample = projection(from, to, stride, context);
  }

  protected branch(x: Tensor, options: ForwardOptions): Tensor {
    let y = relu(this.bn1.forward(this.conv1.forward(x), options));
    y = relu(this.bn2.forward(this.conv2.forward(y), options));
    return this.bn3.forward(this.conv3.forward(y), options);
  }
}

/**
 * Images [batch, h, w, channels] → pooled features [batch, featureSize], or logits where `classes` is given.
 */
export class ResNet extends Layer {
  /** Features of `features()`: the channels of the last group. */
  readonly featureSize: number;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm;
  private readonly maxpool?: MaxPool;
  [layer: `layer${number}`]: Sequential;
  private readonly groups: number;
  private readonly checkpoint: ResNetOptions["checkpoint"];
  private readonly pool = new GlobalAvgPool();
  /** Declared only, so that it stands behind the groups in the order of parameters. */
  declare readonly fc?: Linear;

  constructor(options: ResNetOptions = {}) {
    super();
    const { block = "basic", blocks = [2, 2, 2, 2], width = 1, baseWidth = 64, inputChannels = 3 } = options;
    const {
      stem = "imagenet",
      padding = "same",
      norm = {},
      zeroInitLastNorm = false,
      projectionOnFirstGroup = true,
    } = options;
    const channels = Math.round(baseWidth * width);
    if (!blocks.length || !blocks.every((n) => Number.isInteger(n) && n > 0))
      throw new DawnstrapError(
        `ResNet: blocks [${blocks.join(", ")}] has to list whole numbers above 0, one for each group`,
      );
    if (!(channels >= 1))
      throw new DawnstrapError(`ResNet: base width ${baseWidth} times width ${width} leaves no channel`);

    const small = stem === "small";
    this.conv1 = convolution(inputChannels, channels, small ? 3 : 7, small ? 1 : 2, padding);
    this.bn1 = new BatchNorm(channels, norm);
    if (!small) this.maxpool = new MaxPool(3, { stride: 2, padding: paddingOf(padding, 3) });

    const context: BlockContext = { padding, norm, zeroInitLastNorm };
    let from = channels;
    // Strides beyond the one that is asked for become dilations of all that follows.
    let [reached, dilation] = [small ? 1 : 4, 1];
    const most = options.outputStride ?? Number.POSITIVE_INFINITY;
    blocks.forEach((count, g) => {
      const to = channels * 2 ** g * (block === "bottleneck" ? 4 : 1);
      const halves = g > 0;
      const before = dilation;
      const stride = halves && 2 * reached <= most ? 2 : 1;
      if (halves && stride === 1) dilation *= 2;
      reached *= stride;
      const layers = Array.from({ length: count }, (_, i) => {
        const first = i === 0;
        const project = first && (halves || from !== to || projectionOnFirstGroup);
        const windows = first
          ? { stride, dilation: before, after: dilation }
          : { stride: 1, dilation, after: dilation };
        const Block = block === "basic" ? BasicBlock : Bottleneck;
        return new Block(first ? from : to, to, windows, project, context);
      });
      this[`layer${g + 1}`] = new Sequential(...layers);
      from = to;
    });
    this.groups = blocks.length;
    this.checkpoint = options.checkpoint;
    this.featureSize = from;
    if (options.classes) this.fc = new Linear(from, options.classes);
  }

  /** The map that each group puts out, [batch, h, w, channels], the first group's first. */
  stages(x: Tensor, options: ForwardOptions): Tensor[] {
    const kept = options.train && this.checkpoint !== undefined;
    const run = (stretch: (y: Tensor) => Tensor, y: Tensor): Tensor =>
      (kept ? checkpoint(stretch) : stretch)(y);
    let y = run((image) => this.stem(image, options), x);
    return Array.from({ length: this.groups }, (_, g) => {
      const group = this[`layer${g + 1}`]!;
      for (const layer of this.checkpoint === "block" ? group.layers() : [group])
        y = run((map) => layer.forward(map, options), y);
      return y;
    });
  }

  /** Average-pooled output of the last group, [batch, featureSize]. */
  features(x: Tensor, options: ForwardOptions): Tensor {
    return this.pool.forward(this.stages(x, options).at(-1)!);
  }

  private stem(x: Tensor, options: ForwardOptions): Tensor {
    const y = relu(this.bn1.forward(this.conv1.forward(x), options));
    return this.maxpool ? this.maxpool.forward(y) : y;
  }

  forward(x: Tensor, options: ForwardOptions): Tensor {
    const features = this.features(x, options);
    return this.fc ? this.fc.forward(features) : features;
  }
}

/** A ResNet of a standard depth: 18, 34, 50, 101, 152 or 200. Options override what the depth sets. */
export function resnet(depth: ResNetDepth, options: ResNetOptions = {}): ResNet {
  if (!Object.hasOwn(resnetDepths, depth))
    throw new DawnstrapError(
      `resnet: depth ${depth} is none of ${Object.keys(resnetDepths).join(", ")} ` +
        "(for others give block and blocks to new ResNet)",
    );
  return new ResNet({ ...resnetDepths[depth], ...options });
}
