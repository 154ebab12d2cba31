/** Reading slices at indices. */
import { ShapeError } from "../../errors.js";
import { and, constant, ge, i32, lt, max, min, select } from "../../expr/expr.js";
import { scalarOf } from "../../dtype.js";
import { defineOp, type OpDef } from "../../op.js";
import { normalizeAxis, numel, show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { cast } from "../values/cast.js";
import { zerosLike as zeros } from "../values/constants.js";
import { permute } from "../views/permute.js";
import { zerosLike } from "../shared/reference.js";
import { type Outside, scatterAddOp } from "./scatter-add.js";

interface GatherParams {
  readonly axis: number;
  readonly outside: Outside;
}

const gatherOp: OpDef<GatherParams> = defineOp<GatherParams>({
  name: "gather",
  infer([x, indices], { axis }) {
    if (indices!.dtype !== "int32")
      throw new ShapeError("gather", `indices are ${indices!.dtype}, int32 is wanted`, "cast them first");
    if (x!.shape[axis] === 0 && numel(indices!.shape) > 0)
      throw new ShapeError("gather", `axis ${axis} of ${show(x!.shape)} has nothing to gather`);
    return [{ shape: x!.shape.toSpliced(axis, 1, ...indices!.shape), dtype: x!.dtype }];
  },
  reference([x, indices], { axis, outside }, [out]) {
    const y = zerosLike(out!);
    const n = x!.shape[axis]!;
    const outer = numel(x!.shape.slice(0, axis));
    const inner = numel(x!.shape.slice(axis + 1));
    const count = indices!.data.length;
    for (let o = 0; o < outer; o++)
      indices!.data.forEach((index, j) => {
        if (outside === "zero" && (index < 0 || index >= n)) return;
        const k = Math.min(n - 1, Math.max(0, index));
        for (let i = 0; i < inner; i++)
          y.data[(o * count + j) * inner + i] = x!.data[(o * n + k) * inner + i]!;
      });
    return [y];
  },
  lower(_b, [x, indices], [out], { axis, outside }) {
    const from = numel(out!.shape) > numel(x!.shape) ? x!.cached() : x!;
    const n = x!.shape[axis]!;
    const depth = indices!.shape.length;
    return (at) => {
      const index = indices!.at(at.slice(axis, axis + depth));
      const value = from.at(at.toSpliced(axis, depth, min(max(index, i32(0)), i32(n - 1))));
      if (outside === "clamp") return value;
      return select(and(ge(index, i32(0)), lt(index, i32(n))), value, constant(0, scalarOf[x!.dtype]));
    };
  },
  vjp({ inputs: [x, indices], grads: [g], params: { axis, outside } }) {
    // Rows are added along the first axis: bring the gathered axes to the front, and the result's back.
    const depth = indices!.rank;
    const gathered = Array.from({ length: depth }, (_, i) => axis + i);
    const rest = g!.shape.map((_, i) => i).filter((i) => i < axis || i >= axis + depth);
    const front = permute(g!, [...gathered, ...rest]);
    const restOfX = x!.shape.map((_, i) => i).filter((i) => i !== axis);
    const dx = apply1(scatterAddOp, [zeros(permute(x!, [axis, ...restOfX])), indices!, front], { outside });
    return [
      permute(dx, [
        ...restOfX.slice(0, axis).map((_, i) => i + 1),
        0,
        ...restOfX.slice(axis).map((_, i) => axis + i + 1),
      ]),
      undefined,
    ];
  },
  sample(s) {
    const shape = s.shape({ rank: [1, 3], max: 200 });
    const axis = s.int(0, shape.length - 1);
    const indices = s.pick([[], [1], [5], [2, 3]]);
    return {
      inputs: [{ shape }, { shape: indices, dtype: "int32", range: [-1, shape[axis]!] }],
      params: { axis, outside: s.pick(["clamp", "zero"]) },
    };
  },
});

/** Rows of `x` at indices, with a choice of what indices out of range mean. */
export const gatherRows = (x: Tensor, indices: Tensor, outside: Outside): Tensor =>
  apply1<GatherParams>(gatherOp, [x, indices], { axis: 0, outside });

/**
 * Slices of `x` at indices along an axis: `y[a…, i…, b…] = x[a…, indices[i…], b…]`.
 *
 * Indices outside 0 … extent − 1 are moved to the nearer end. The gradient of a slice that was taken several times is
 * the sum of its takers', added in a fixed order.
 *
 * @param x any dtype, `[…, extent, …]`
 * @param indices int32 (or uint8, uint32) of any shape
 * @param axis which axis is indexed, the first by default
 */
export function gather(x: Tensor, indices: Tensor, axis = 0): Tensor {
  const at = indices.dtype === "uint8" || indices.dtype === "uint32" ? cast(indices, "int32") : indices;
  return apply1<GatherParams>(gatherOp, [x, at], {
    axis: normalizeAxis("gather", axis, x.rank),
    outside: "clamp",
  });
}
