/**
 * Batch normalisation: statistics (batchNormStats.ts), then y = (x − mean) · factor + offset, which fuses with what
 * follows. Its derivative needs two sums over the rows, taken in one walk; everything else is pointwise.
 */
import { ShapeError } from "../../errors.js";
import { add, div, f32, mul, sub, unary } from "../../expr/expr.js";
import { type Aval, defineOp, type OpDef } from "../../op.js";
import { type Shape, show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply, apply1 } from "../shared/apply.js";
import { add as plus, div as over, mul as times, sub as minus } from "../pointwise/arithmetic.js";
import { batchNormStats, checkRows, sampleRows } from "./batch-norm-stats.js";
import { onesLike } from "../values/constants.js";
import { neg } from "../pointwise/elementary.js";
import { expand } from "../reductions/sum.js";
import { reduce } from "../reductions/reduce.js";
import { zerosLike } from "../shared/reference.js";

function checkVector(
  op: string,
  what: string,
  v: { readonly shape: Shape; readonly dtype: string },
  x: Aval,
): void {
  const channels = x.shape.at(-1)!;
  if (v.shape.length !== 1 || v.shape[0] !== channels)
    throw new ShapeError(
      op,
      `${what} has shape ${show(v.shape)}, input ${show(x.shape)} wants [${channels}]`,
    );
  if (v.dtype !== "float32")
    throw new ShapeError(op, `${what} is ${v.dtype}, float32 is wanted`, "cast it first");
}

/** y = (x − mean) · factor + offset, with a factor, mean and offset per channel. */
const batchNormApplyOp = defineOp<undefined>({
  name: "batchNormApply",
  keeps: "input",
  infer([x, mean, factor, offset]) {
    checkRows("batchNorm", x!);
    checkVector("batchNorm", "mean", mean!, x!);
    checkVector("batchNorm", "scale", factor!, x!);
    checkVector("batchNorm", "offset", offset!, x!);
    return [{ shape: x!.shape, dtype: "float32" }];
  },
  reference([x, mean, factor, offset], _, [out]) {
    const channels = mean!.data.length;
    const y = zerosLike(out!);
    x!.data.forEach((v, i) => {
      const c = i % channels;
      y.data[i] = (v - mean!.data[c]!) * factor!.data[c]! + offset!.data[c]!;
    });
    return [y];
  },
  lower(_b, [x, mean, factor, offset]) {
    const [m, a, o] = [mean!.cached(), factor!.cached(), offset!.cached()];
    return (at) => {
      const c = [at.at(-1)!];
      return add(mul(sub(x!.at(at), m.at(c)), a.at(c)), o.at(c));
    };
  },
  vjp({ inputs, grads, needs }) {
    const [x, mean, factor] = inputs as [Tensor, Tensor, Tensor];
    const g = grads[0]!;
    const [total, weighted] =
      needs[1] || needs[2] || needs[3] ? apply(batchNormSumsOp, [x, g, mean], undefined) : [];
    return [times(g, factor), total && neg(times(factor, total)), weighted, total];
  },
  sample(s) {
    const shape = sampleRows(s);
    const vector = [shape.at(-1)!];
    return {
      inputs: [{ shape }, { shape: vector }, { shape: vector }, { shape: vector }],
      params: undefined,
    };
  },
});

/** Per channel, Σ g and Σ g · (x − mean) over the rows. */
const batchNormSumsOp = defineOp<undefined>({
  name: "batchNormSums",
  infer([x, g, mean]) {
    checkRows("batchNormSums", x!);
    if (show(g!.shape) !== show(x!.shape))
      throw new ShapeError(
        "batchNormSums",
        `gradient ${show(g!.shape)} and input ${show(x!.shape)} differ in shape`,
      );
    checkVector("batchNormSums", "mean", mean!, x!);
    return [mean!, mean!];
  },
  reference([x, g, mean], _, outs) {
    const [total, weighted] = outs.map(zerosLike);
    const channels = mean!.data.length;
    g!.data.forEach((v, i) => {
      const c = i % channels;
      total!.data[c]! += v;
      weighted!.data[c]! += v * (x!.data[i]! - mean!.data[c]!);
    });
    return [total!, weighted!];
  },
  lower(b, [x, g, mean]) {
    const m = mean!.cached();
    const axes = x!.shape.slice(0, -1).map((_, i) => i);
    const sums = reduce(b, x!.shape, axes, {
      types: ["float32", "float32"],
      init: [f32(0), f32(0)],
      element: (at) => {
        const v = g!.at(at);
        return [v, mul(v, sub(x!.at(at), m.at([at.at(-1)!])))];
      },
      merge: (s, t) => [add(s[0]!, t[0]!), add(s[1]!, t[1]!)],
      blocked: true,
    });
    b.map([b.out(0), b.out(1)], m.shape, (at) => sums(at));
  },
  vjp({ inputs, outputs, grads: [gTotal, gWeighted] }) {
    const [x, g, mean] = inputs as [Tensor, Tensor, Tensor];
    const through = gWeighted && times(minus(x, mean), gWeighted);
    return [
      gWeighted && times(g, gWeighted),
      through && gTotal ? plus(through, gTotal) : (through ?? (gTotal && expand(gTotal, x.shape))),
      gWeighted && neg(times(gWeighted, outputs[0]!)),
    ];
  },
  sample(s) {
    const shape = sampleRows(s);
    return { inputs: [{ shape }, { shape }, { shape: [shape.at(-1)!] }], params: undefined };
  },
  // Sums over all rows whose terms may cancel.
  tolerance: 1e-4,
});

/** scale / √(variance + eps), per channel. */
const batchNormFactorOp: OpDef<{ readonly eps: number }> = defineOp<{ readonly eps: number }>({
  name: "batchNormFactor",
  infer: ([variance]) => [variance!],
  reference: ([variance, scale], { eps }, [out]) => [
    { ...out!, data: variance!.data.map((v, c) => scale!.data[c]! / Math.sqrt(v + eps)) },
  ],
  lower:
    (_b, [variance, scale], _outs, { eps }) =>
    (at) =>
      div(scale!.at(at), unary("sqrt", add(variance!.at(at), f32(eps)))),
  vjp({ inputs, outputs, grads, params, needs }) {
    const [variance] = inputs as [Tensor, Tensor];
    const g = grads[0]!;
    return [
      needs[0] ? over(times(times(g, outputs[0]!), -0.5), plus(variance, params.eps)) : undefined,
      needs[1] ? times(g, apply1(batchNormFactorOp, [variance, onesLike(variance)], params)) : undefined,
    ];
  },
  sample(s) {
    const shape = [s.pick([1, 3, 8, 33])];
    return { inputs: [{ shape, range: [0.05, 3] }, { shape }], params: { eps: s.pick([1e-5, 1e-3, 0.1]) } };
  },
});

export interface BatchNormOptions {
  /** Added to the variance before the root. Default 1e-5. */
  readonly eps?: number;
}

const normalise = (
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  scale: Tensor,
  offset: Tensor,
  eps: number,
): Tensor =>
  apply1(
    batchNormApplyOp,
    [x, mean, apply1(batchNormFactorOp, [variance, scale], { eps }), offset],
    undefined,
  );

/**
 * Batch normalisation with the batch's own statistics (training).
 *
 * `y = (x − mean_c) / √(variance_c + eps) · scale_c + offset_c`, mean and variance taken per channel over every axis
 * but the last (Ioffe and Szegedy 2015). Gradients flow through the statistics. A ReLU or a residual sum that follows
 * is computed in the same kernel.
 *
 * @param x float32 `[…, channels]`, rank 2 or more (`[B, C]`, `[B, H, W, C]`)
 * @param scale float32 `[channels]`
 * @param offset float32 `[channels]`
 * @returns y like x, and the batch's mean and biased variance, `[channels]` each
 * @throws ShapeError when the channels differ or there are no rows
 */
export function batchNorm(
  x: Tensor,
  scale: Tensor,
  offset: Tensor,
  { eps = 1e-5 }: BatchNormOptions = {},
): { y: Tensor; mean: Tensor; variance: Tensor } {
  checkRows("batchNorm", x);
  checkVector("batchNorm", "scale", scale, x);
  checkVector("batchNorm", "offset", offset, x);
  const { mean, variance } = batchNormStats(x);
  return { y: normalise(x, mean, variance, scale, offset, eps), mean, variance };
}

/**
 * Batch normalisation with given statistics (evaluation).
 *
 * `y = (x − mean_c) / √(variance_c + eps) · scale_c + offset_c`; pointwise, so it fuses with its neighbours.
 *
 * @param x float32 `[…, channels]`, rank 2 or more
 * @param mean, variance running statistics, float32 `[channels]`
 * @param scale, offset float32 `[channels]`
 */
export function batchNormInference(
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  scale: Tensor,
  offset: Tensor,
  { eps = 1e-5 }: BatchNormOptions = {},
): Tensor {
  checkRows("batchNormInference", x);
  for (const [what, v] of Object.entries({ mean, variance, scale, offset }))
    checkVector("batchNormInference", what, v, x);
  return normalise(x, mean, variance, scale, offset, eps);
}
