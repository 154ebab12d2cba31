/** Sum along axes. */
import { scalarOf } from "../../dtype.js";
import { ShapeError } from "../../errors.js";
import * as e from "../../expr/expr.js";
import { defineOp } from "../../op.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { type AxesParams, along, reduceReference, sampleAxes, stretchBack, without } from "./axes.js";
import { cast } from "../values/cast.js";
import { reduce } from "./reduce.js";

const sumOp = defineOp<AxesParams>({
  name: "sum",
  infer([x], { axes }) {
    if (x!.dtype === "bool" || x!.dtype === "uint8")
      throw new ShapeError("sum", `${x!.dtype} is too narrow to sum in`);
    return [{ shape: without(x!.shape, axes), dtype: x!.dtype }];
  },
  reference: reduceReference((elements) => elements.reduce((s, v) => s + v, 0)),
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
  vjp: ({ inputs, grads, params }) => [stretchBack(grads[0]!, inputs[0]!.shape, params.axes)],
  sample: (s) => {
    const { shape, axes, dtype } = sampleAxes(s, ["float32", "float32", "int32", "uint32"]);
    return { inputs: [{ shape, dtype }], params: { axes } };
  },
});

/**
 * Sum along `axes` (all when left out); `keepDims` leaves extents of 1 in their place. bool and uint8 are summed in
 * int32. The sum of no elements is 0. Long axes are summed in blocks: the error grows like that of pairwise summation.
 */
export function sum(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  const wide = x.dtype === "bool" || x.dtype === "uint8" ? cast(x, "int32") : x;
  return along("sum", x, axes, keepDims, (named) =>
    named.length ? apply1(sumOp, [wide], { axes: named }) : wide,
  );
}
