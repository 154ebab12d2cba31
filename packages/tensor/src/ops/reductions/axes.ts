/** What ops along axes share: shapes, references, samples. */
import type { DType } from "../../dtype.js";
import { ShapeError } from "../../errors.js";
import type { Expr } from "../../expr/expr.js";
import type { Aval, NdArray, Sampler } from "../../op.js";
import { normalizeAxes, type Shape, show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { eachReduced, zerosLike } from "../shared/reference.js";
import { reshape } from "../views/reshape.js";

export interface AxesParams {
  /** Ascending, within the rank. */
  readonly axes: readonly number[];
}

/** The shape with the axes removed. */
export function without(shape: Shape, axes: readonly number[]): number[] {
  return shape.filter((_, i) => !axes.includes(i));
}

/** The shape with the axes' extents set to 1. */
export function withOnes(shape: Shape, axes: readonly number[]): number[] {
  return shape.map((d, i) => (axes.includes(i) ? 1 : d));
}

/** The index over the axes that are kept. */
export const keptOf = (at: readonly Expr[], axes: readonly number[]): Expr[] =>
  at.filter((_, i) => !axes.includes(i));

/** A reference that maps the elements along the axes, in row-major order, to one number. */
export function reduceReference(
  f: (elements: Float64Array) => number,
): (inputs: readonly NdArray[], params: AxesParams, outs: readonly Aval[]) => NdArray[] {
  return ([x], { axes }, [out]) => {
    const y = zerosLike(out!);
    eachReduced(x!, axes, (o, elements) => {
      y.data[o] = f(elements);
    });
    return [y];
  };
}

/** Reductions of nothing that have no neutral element are refused. */
export function refuseEmpty(op: string, shape: Shape, axes: readonly number[]): void {
  for (const a of axes)
    if (shape[a] === 0)
      throw new ShapeError(op, `axis ${a} of ${show(shape)} is empty, and ${op} of nothing is undefined`);
}

/** A shape and a choice of its axes, no chosen one empty where `nonEmpty`. */
export function sampleAxes(
  s: Sampler,
  dtypes: readonly DType[],
  nonEmpty = false,
): { shape: number[]; axes: number[]; dtype: DType } {
  const drawn = s.shape({ rank: [0, 4], max: s.pick([60, 600, 3000, 12000]) });
  const axes = drawn.map((_, i) => i).filter(() => s.bool());
  const shape = drawn.map((d, i) => (nonEmpty && axes.includes(i) ? Math.max(1, d) : d));
  return { shape, axes, dtype: s.pick(dtypes) };
}

/**
 * The public face of a reduction: named axes (all when left out) are normalised, `record` records the op, and kept
 * dimensions are put back as extents of 1.
 */
export function along(
  op: string,
  x: Tensor,
  axes: number | readonly number[] | undefined,
  keepDims: boolean,
  record: (axes: readonly number[]) => Tensor,
): Tensor {
  const named = normalizeAxes(op, axes, x.rank);
  const y = record(named);
  return keepDims ? reshape(y, withOnes(x.shape, named)) : y;
}
