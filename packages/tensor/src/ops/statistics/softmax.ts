/** Exponentials normalised along axes, and the logarithm of their sum. */
import type { Expr } from "../../expr/expr.js";
import * as e from "../../expr/expr.js";
import * as m from "../../expr/math.js";
import { type Aval, defineOp, type LowerBuilder, type NdArray, type Sampler, type Source } from "../../op.js";
import { normalizeAxis, numel, stridesOf } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { mul, sub } from "../pointwise/arithmetic.js";
import { type AxesParams, along, keptOf, reduceReference, sampleAxes, without } from "../reductions/axes.js";
import { stretchBack } from "../reductions/sum.js";
import { asFloat } from "../values/operands.js";
import { exp } from "../pointwise/elementary.js";
import { type Reduction, reduce, shortAxis } from "../reductions/reduce.js";
import { positions, zerosLike } from "../shared/reference.js";
import { sum } from "../reductions/sum.js";

const largestOf = (x: Source): Reduction => ({
  types: ["float32"],
  init: [e.f32(-Infinity)],
  element: (at) => [x.at(at)],
  merge: ([s], [v]) => [e.select(e.or(e.gt(v!, s!), m.isNan(v!)), v!, s!)],
});

/** Σ e^(x − shift). */
const powersOf = (x: Source, shift: (at: readonly Expr[]) => Expr): Reduction => ({
  types: ["float32"],
  init: [e.f32(0)],
  element: (at) => [m.exp(e.sub(x.at(at), shift(at)))],
  merge: ([s], [v]) => [e.add(s!, v!)],
  blocked: true,
});

/** An infinite maximum would turn x − max into NaN; without a shift the infinities come out right. */
const finite = (largest: Expr): Expr => e.select(e.eq(m.abs(largest), e.f32(Infinity)), e.f32(0), largest);

/**
 * Largest element and Σ e^(x − largest) along the axes, each stored as an array over the kept axes.
 *
 * @param shiftOf what is subtracted, of the largest element
 */
function maxAndSum(
  b: LowerBuilder,
  x: Source,
  axes: readonly number[],
  shiftOf = (largest: Expr): Expr => largest,
): { shift: Source; total: Source } {
  const kept = without(x.shape, axes);
  const [shifts, totals] = [b.temp("float32", kept), b.temp("float32", kept)];
  const views = { shift: b.view(shifts, kept), total: b.view(totals, kept) };
  const largest = reduce(b, x.shape, axes, largestOf(x));
  if (numel(axes.map((a) => x.shape[a]!)) <= shortAxis) {
    // Both folds in one kernel: short reductions launch nothing of their own.
    b.map([shifts, totals], kept, (at) => {
      const shift = shiftOf(largest(at)[0]!);
      return [
        shift,
        reduce(
          b,
          x.shape,
          axes,
          powersOf(x, () => shift),
        )(at)[0]!,
      ];
    });
    return views;
  }
  b.map([shifts], kept, (at) => [shiftOf(largest(at)[0]!)]);
  const sums = reduce(
    b,
    x.shape,
    axes,
    powersOf(x, (at) => views.shift.at(keptOf(at, axes))),
  );
  b.map([totals], kept, (at) => sums(at));
  return views;
}

const logSumExpOf = (elements: Float64Array): number => {
  const largest = elements.reduce((a, v) => Math.max(a, v), -Infinity);
  const shift = Math.abs(largest) === Infinity ? 0 : largest;
  return shift + Math.log(elements.reduce((s, v) => s + Math.exp(v - shift), 0));
};

const logSumExpOp = defineOp<AxesParams>({
  name: "logSumExp",
  infer: ([x], { axes }) => [{ shape: without(x!.shape, axes), dtype: "float32" }],
  reference: reduceReference(logSumExpOf),
  lower(b, [x], _outs, { axes }) {
    const { shift, total } = maxAndSum(b, x!.cached(), axes, finite);
    return (at) => e.add(shift.at(at), m.log(total.at(at)));
  },
  vjp: ({ inputs: [x], outputs: [y], grads: [g], params: { axes } }) => {
    const weights = exp(sub(x!, stretchBack(y!, x!.shape, axes)));
    return [mul(weights, stretchBack(g!, x!.shape, axes))];
  },
  sample: (s) => {
    const { shape, axes } = sampleAxes(s, ["float32"]);
    return { inputs: [{ shape, range: [-6, 6] }], params: { axes } };
  },
});

/** ln Σ eˣ along `axes` (all when left out), without overflow; −∞ of no elements. */
export function logSumExp(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  return along("logSumExp", x, axes, keepDims, (named) => apply1(logSumExpOp, [asFloat(x)], { axes: named }));
}

interface AxisParams {
  readonly axis: number;
}

/** A reference that maps the elements along one axis to as many. */
const alongAxis =
  (f: (elements: Float64Array) => Float64Array) =>
  ([x]: readonly NdArray[], { axis }: AxisParams, [out]: readonly Aval[]): NdArray[] => {
    const y = zerosLike(out!);
    const stride = stridesOf(x!.shape)[axis]!;
    const starts = positions(x!.shape.with(axis, 1), stridesOf(x!.shape));
    for (const start of starts) {
      const line = Float64Array.from({ length: x!.shape[axis]! }, (_, i) => x!.data[start + i * stride]!);
      f(line).forEach((v, i) => {
        y.data[start + i * stride] = v;
      });
    }
    return [y];
  };

const sampleAxis = (s: Sampler) => {
  const shape = s.shape({ rank: [1, 4], max: s.pick([60, 600, 3000]) });
  return { inputs: [{ shape, range: [-6, 6] as const }], params: { axis: s.int(0, shape.length - 1) } };
};

function lowerNormalised(
  b: LowerBuilder,
  input: Source,
  axis: number,
  value: (distance: Expr, total: Expr) => Expr,
): (at: readonly Expr[]) => Expr {
  const x = input.cached();
  const { shift, total } = maxAndSum(b, x, [axis]);
  return (at) => {
    const kept = keptOf(at, [axis]);
    return value(e.sub(x.at(at), shift.at(kept)), total.at(kept));
  };
}

const softmaxOp = defineOp<AxisParams>({
  name: "softmax",
  infer: ([x]) => [{ shape: x!.shape, dtype: "float32" }],
  reference: alongAxis((line) => {
    const largest = line.reduce((a, v) => Math.max(a, v), -Infinity);
    const powers = line.map((v) => Math.exp(v - largest));
    const total = powers.reduce((s, v) => s + v, 0);
    return powers.map((v) => v / total);
  }),
  lower: (b, [x], _outs, { axis }) => lowerNormalised(b, x!, axis, (d, total) => e.div(m.exp(d), total)),
  vjp: ({ outputs: [y], grads: [g], params: { axis } }) => {
    const weighted = mul(g!, y!);
    return [sub(weighted, mul(y!, sum(weighted, axis, true)))];
  },
  sample: sampleAxis,
});

/** eˣ / Σ eˣ along an axis (the last when left out), without overflow; NaN where +∞ is among the elements. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return apply1(softmaxOp, [asFloat(x)], { axis: normalizeAxis("softmax", axis, x.rank) });
}

const logSoftmaxOp = defineOp<AxisParams>({
  name: "logSoftmax",
  infer: ([x]) => [{ shape: x!.shape, dtype: "float32" }],
  reference: alongAxis((line) => {
    const largest = line.reduce((a, v) => Math.max(a, v), -Infinity);
    const total = Math.log(line.reduce((s, v) => s + Math.exp(v - largest), 0));
    return line.map((v) => v - largest - total);
  }),
  lower: (b, [x], _outs, { axis }) => lowerNormalised(b, x!, axis, (d, total) => e.sub(d, m.log(total))),
  vjp: ({ outputs: [y], grads: [g], params: { axis } }) => [sub(g!, mul(exp(y!), sum(g!, axis, true)))],
  sample: sampleAxis,
});

/** x − ln Σ eˣ along an axis (the last when left out): the logarithm of `softmax`, accurate where that is near 0. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return apply1(logSoftmaxOp, [asFloat(x)], { axis: normalizeAxis("logSoftmax", axis, x.rank) });
}
