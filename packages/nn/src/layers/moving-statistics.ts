/** The running averages of a batch norm, moved by one batch in one kernel. */
import { ShapeError, type Tensor } from "@dawnstrap/tensor";
import { apply, defineOp, expr as e, type NdArray, nondifferentiable } from "@dawnstrap/tensor/extend";
import { Buffer } from "../module.js";

/**
 * (1 − momentum)^batches: the weight that the start still has in a running average. One number, in every
 * channel.
 */
export class StartWeight extends Buffer {
  constructor(
    channels: number,
    private readonly decay: number,
  ) {
    super([channels], 1);
  }

  /**
   * How many batches a weight stands for; a weight that has run down to 0 counts as the least float32 above.
   */
  batches(weight: number): number {
    return this.decay === 0
      ? Number(weight < 1)
      : Math.round(Math.log(Math.max(weight, 2 ** -149)) / Math.log(this.decay));
  }

  /** The weight after so many batches. */
  after(batches: number): Float32Array {
    return new Float32Array(this.shape[0]!).fill(this.decay ** batches);
  }
}

interface MovingParams {
  readonly momentum: number;
  /** Factor of the batch's variance: n/(n − 1) where the running variance is unbiased. */
  readonly correction: number;
}

/**
 * Inputs: mean, variance and, for debiased averages, the start's weight p; then the batch's mean and
 * variance. Outputs: the first two or three anew.
 *
 * With total weight 1 − p after n batches, p = (1 − momentum)ⁿ, the debiased average obeys
 * avg ← avg + momentum/(1 − p)·(batch − avg), so that what is stored is the average itself.
 */
const movingStatisticsOp = defineOp<MovingParams>({
  name: "movingStatistics",
  infer(inputs) {
    for (const x of inputs)
      if (x.shape.length !== 1 || x.shape[0] !== inputs[0]!.shape[0])
        throw new ShapeError(
          "movingStatistics",
          `statistics of shapes ${inputs.map((i) => `[${i.shape}]`).join(" ")} differ`,
        );
    return inputs.slice(0, -2).map(({ shape, dtype }) => ({ shape, dtype }));
  },
  reference(inputs, { momentum, correction }): NdArray[] {
    const [mean, variance, start] = inputs.slice(0, -2).map((x) => x.data);
    const [batchMean, batchVariance] = inputs.slice(-2).map((x) => x.data) as [Float64Array, Float64Array];
    const rate = (i: number): number => (start ? momentum / (1 - start[i]! * (1 - momentum)) : momentum);
    const out = [
      mean!.map((m, i) => m + rate(i) * (batchMean[i]! - m)),
      variance!.map((v, i) => v + rate(i) * (correction * batchVariance[i]! - v)),
      ...(start ? [start.map((p) => p * (1 - momentum))] : []),
    ];
    return out.map((data) => ({ shape: [data.length], dtype: "float32", data }));
  },
  lower(b, inputs, [out], { momentum, correction }) {
    const [batchMean, batchVariance] = inputs.slice(-2).map((x) => x.cached());
    const bufs = inputs.slice(0, -2).map((x, k) => b.updated(k, x));
    const views = bufs.map((buf) => b.view(buf, out!.shape));
    const decay = e.f32(1 - momentum);
    const full = e.sub(e.f32(1), decay);
    b.map(bufs, out!.shape, (at) => {
      const [mean, variance, start] = views.map((v) => v.at(at));
      const left = start && e.mul(start, decay);
      // At the first batch left = decay, and the quotient is exactly 1: the start leaves no trace.
      const rate = left ? e.div(full, e.sub(e.f32(1), left)) : full;
      const move = (average: e.Expr, batch: e.Expr): e.Expr =>
        e.add(average, e.mul(rate, e.sub(batch, average)));
      return [
        move(mean!, batchMean!.at(at)),
        move(variance!, e.mul(e.f32(correction), batchVariance!.at(at))),
        ...(left ? [left] : []),
      ];
    });
  },
  updates: true,
  vjp: nondifferentiable("running averages are not part of the loss"),
  sample(s) {
    const vector = { shape: [s.int(1, 40)] };
    const positive = { ...vector, range: [0.1, 0.9] } as const;
    const start = s.bool() ? [positive] : [];
    const params = { momentum: s.pick([0.01, 0.1, 0.5]), correction: s.pick([1, 1.25]) };
    return { inputs: [vector, positive, ...start, vector, positive], params };
  },
});

/** New values of [mean, variance] or [mean, variance, startWeight]. */
export function movingStatistics(
  running: readonly Tensor[],
  mean: Tensor,
  variance: Tensor,
  params: MovingParams,
): Tensor[] {
  return apply(movingStatisticsOp, [...running, mean, variance], params);
}
