/** Mean and variance, made of sums. */
import { normalizeAxes, numel } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { div, mul, sub } from "../pointwise/arithmetic.js";
import { asFloat } from "../values/operands.js";
import { sum } from "../reductions/sum.js";

const countAlong = (x: Tensor, axes: number | readonly number[] | undefined): number =>
  numel(normalizeAxes("mean", axes, x.rank).map((a) => x.shape[a]!));

/** Mean along `axes` (all when left out), in float32; NaN of no elements. */
export function mean(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  return div(sum(asFloat(x), axes, keepDims), countAlong(x, axes));
}

/**
 * Mean squared distance from the mean along `axes` (all when left out), in float32; `unbiased` divides by n − 1
 * instead of n. Corrected two-pass algorithm (Chan, Golub & LeVeque 1983): accurate where the mean is large.
 */
export function variance(
  x: Tensor,
  axes?: number | readonly number[],
  keepDims = false,
  unbiased = false,
): Tensor {
  const count = countAlong(x, axes);
  const distance = sub(asFloat(x), mean(x, axes, true));
  // What rounding left in the mean shows up as a sum of distances that is not 0.
  const rest = sum(distance, axes, keepDims);
  const squares = sum(mul(distance, distance), axes, keepDims);
  return div(sub(squares, div(mul(rest, rest), count)), count - (unbiased ? 1 : 0));
}
