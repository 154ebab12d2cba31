/**
 * Batch normalisation over the last axis, for features [batch, channels] and images [batch, h, w, channels]
 * alike.
 */
import { batchNorm, batchNormInference, DawnstrapError, type Tensor } from "@dawnstrap/tensor";
import { constant, ones, zeros } from "../init.js";
import { Buffer, type ForwardOptions, Layer, Parameter } from "../module.js";
import { checkChannels } from "./channels.js";
import { movingStatistics, StartWeight } from "./moving-statistics.js";

export interface BatchNormOptions {
  /** Weight of the newest batch in the running averages. Default 0.1 (a decay of 0.9). */
  readonly momentum?: number;
  /** Added to the variance before the root. Default 1e-5. */
  readonly eps?: number;
  /**
   * Which batch variance the running average takes: over n ("biased", Haiku's and the default) or n − 1
   * ("unbiased", PyTorch's).
   */
  readonly runningVariance?: "biased" | "unbiased";
  /**
   * "ema": average ← (1 − momentum)·average + momentum·batch, from mean 0 and variance 1. "debiased": the
   * same average divided by its total weight, so that the start does not weigh in (Haiku's zero-debiased
   * average). Default "ema".
   */
  readonly averaging?: "ema" | "debiased";
  /** First value of the scale. Default 1. */
  readonly scaleInit?: number;
}

/**
 * y = (x − mean)/√(variance + eps)·scale + offset per channel: with the batch's statistics in training mode,
 * which then also move the running averages, and with the running averages otherwise. Ioffe & Szegedy 2015.
 */
export class BatchNorm extends Layer {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly runningMean: Buffer;
  readonly runningVariance: Buffer;
  /** Of debiased averages; per channel, so that one kernel updates all three. */
  declare readonly startWeight?: StartWeight;
  private readonly eps: number;
  private readonly momentum: number;
  private readonly unbiased: boolean;

  constructor(channels: number, options: BatchNormOptions = {}) {
    super();
    const {
      momentum = 0.1,
      eps = 1e-5,
      runningVariance = "biased",
      averaging = "ema",
      scaleInit = 1,
    } = options;
    if (!(momentum > 0 && momentum <= 1))
      throw new DawnstrapError(
        `BatchNorm: momentum ${momentum} is not the weight of a batch (use more than 0, at most 1)`,
      );
    this.weight = new Parameter([channels], "norm", scaleInit === 1 ? ones : constant(scaleInit));
    this.bias = new Parameter([channels], "norm", zeros);
    this.runningMean = new Buffer([channels], 0);
    this.runningVariance = new Buffer([channels], 1);
    if (averaging === "debiased") this.startWeight = new StartWeight(channels, 1 - momentum);
    this.eps = eps;
    this.momentum = momentum;
    this.unbiased = runningVariance === "unbiased";
  }

  /** @throws ShapeError where the last axis of x is not the layer's */
  forward(x: Tensor, { train }: ForwardOptions): Tensor {
    checkChannels("BatchNorm", x, this.weight.shape[0]!);
    const { weight, bias, eps } = this;
    if (!train)
      return batchNormInference(
        x,
        this.runningMean.value,
        this.runningVariance.value,
        weight.value,
        bias.value,
        { eps },
      );
    const { y, mean, variance } = batchNorm(x, weight.value, bias.value, { eps });
    this.moveAverages(mean, variance, x.size / mean.size);
    return y;
  }

  private moveAverages(mean: Tensor, variance: Tensor, rows: number): void {
    // A batch of one row has no unbiased variance; its biased one, 0, is as good.
    const correction = this.unbiased && rows > 1 ? rows / (rows - 1) : 1;
    const buffers = [this.runningMean, this.runningVariance, ...(this.startWeight ? [this.startWeight] : [])];
    const moved = movingStatistics(
      buffers.map((b) => b.value),
      mean,
      variance,
      { momentum: this.momentum, correction },
    );
    moved.forEach((value, i) => buffers[i]!.assign(value));
  }
}
