/** Sums along axes, and their adjoint: stretching along axes. */
import { scalarOf } from "../../dtype.js";
import { ShapeError } from "../../errors.js";
import * as e from "../../expr/expr.js";
import { defineOp } from "../../op.js";
import { broadcastShapes, checkShape, type Shape, sameShape, show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { stretched } from "../shared/broadcast.js";
import { broadcastStrides, pick, positions } from "../shared/reference.js";
import { reshape } from "../views/reshape.js";
import { type AxesParams, along, reduceReference, sampleAxes, withOnes, without } from "./axes.js";
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

const expandOp = defineOp<{ readonly shape: Shape }>({
  name: "expand",
  infer([x], { shape }) {
    checkShape("expand", shape);
    if (!sameShape(broadcastShapes("expand", x!.shape, shape), shape))
      throw new ShapeError(
        "expand",
        `${show(x!.shape)} does not stretch to ${show(shape)}`,
        "only extents of 1 stretch",
      );
    return [{ shape, dtype: x!.dtype }];
  },
  reference: ([x], { shape }, [out]) => [pick(x!, out!, positions(shape, broadcastStrides(x!.shape, shape)))],
  lower: (_b, [x], _outs, { shape }) => stretched(x!, shape),
  vjp: ({ inputs, grads }) => [unbroadcast(grads[0]!, inputs[0]!.shape)],
  sample: (s) => {
    const shape = s.shape({ rank: [0, 4] });
    const kept = shape.slice(s.bool() ? 0 : s.int(0, shape.length));
    return { inputs: [{ shape: kept.map((d) => (s.bool() ? d : 1)) }], params: { shape } };
  },
  free: true,
});

/** Stretches axes of extent 1, and adds leading axes, to reach `shape`. */
export function expand(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply1(expandOp, [x], { shape: [...shape] });
}

/** Another name of `expand`. */
export const broadcastTo = expand;

/** Stretches a reduced tensor back over the axes it was reduced along. */
export const stretchBack = (x: Tensor, shape: Shape, axes: readonly number[]): Tensor =>
  expand(reshape(x, withOnes(shape, axes)), shape);

/** Sums a cotangent over the axes along which an operand of shape `shape` was stretched. */
export function unbroadcast(g: Tensor, shape: Shape): Tensor {
  if (sameShape(g.shape, shape)) return g;
  const lead = g.rank - shape.length;
  const axes = g.shape
    .map((_, i) => i)
    .filter((i) => i < lead || (shape[i - lead] === 1 && g.shape[i] !== 1));
  return reshape(axes.length ? sum(g, axes) : g, shape);
}
