/** Sum along axes. */
import { scalarOf } from "../dtype.js";
import { ShapeError } from "../errors.js";
import * as e from "../expr/expr.js";
import { defineOp } from "../op.js";
import { normalizeAxes, type Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { apply1 } from "./apply.js";
import { cast } from "./cast.js";
import { expand } from "./expand.js";
import { reduce } from "./reduce.js";
import { eachReduced, zerosLike } from "./reference.js";
import { reshape } from "./reshape.js";

export interface AxesParams {
  /** Ascending, within the rank. */
  readonly axes: readonly number[];
}

/** The shape with the axes removed. */
export const without = (shape: Shape, axes: readonly number[]): number[] =>
  shape.filter((_, i) => !axes.includes(i));

/** The shape with the axes' extents set to 1. */
export const withOnes = (shape: Shape, axes: readonly number[]): number[] =>
  shape.map((d, i) => (axes.includes(i) ? 1 : d));

const sumOp = defineOp<AxesParams>({
  name: "sum",
  infer([x], { axes }) {
    if (x!.dtype === "bool" || x!.dtype === "uint8")
      throw new ShapeError("sum", `${x!.dtype} is too narrow to sum in`);
    return [{ shape: without(x!.shape, axes), dtype: x!.dtype }];
  },
  reference([x], { axes }, [out]) {
    const y = zerosLike(out!);
    eachReduced(x!, axes, (o, elements) => {
      y.data[o] = elements.reduce((s, v) => s + v, 0);
    });
    return [y];
  },
  lower(b, [x], [out], { axes }) {
    const total = reduce(b, x!.shape, axes, {
      types: [out!.dtype],
      init: [e.constant(0, scalarOf[out!.dtype])],
      element: (at) => [x!.at(at)],
      merge: ([s], [v]) => [e.add(s!, v!)],
      blocked: out!.dtype === "float32",
    });
    return (at) => total(at)[0]!;
  },
  vjp: ({ inputs, grads, params }) => {
    const shape = inputs[0]!.shape;
    return [expand(reshape(grads[0]!, withOnes(shape, params.axes)), shape)];
  },
  sample: (s) => {
    const shape = s.shape({ rank: [0, 4] });
    return {
      inputs: [{ shape, dtype: s.pick(["float32", "int32"]) }],
      params: { axes: shape.map((_, i) => i).filter(() => s.bool()) },
    };
  },
});

/**
 * Sum along `axes` (all when left out); `keepDims` leaves extents of 1 in their place. bool and uint8 are summed in
 * int32. The sum of no elements is 0. Long axes are summed in blocks: the error grows like that of pairwise summation.
 */
export function sum(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  const named = normalizeAxes("sum", axes, x.rank);
  const wide = x.dtype === "bool" || x.dtype === "uint8" ? cast(x, "int32") : x;
  const y = named.length ? apply1(sumOp, [wide], { axes: named }) : wide;
  return keepDims ? reshape(y, withOnes(x.shape, named)) : y;
}
