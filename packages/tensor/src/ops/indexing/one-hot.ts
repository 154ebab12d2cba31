/** Indices as indicator vectors. */
import { ShapeError } from "../../errors.js";
import { eq, f32, select } from "../../expr/expr.js";
import { defineOp, nondifferentiable } from "../../op.js";
import { show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { cast } from "../values/cast.js";
import { generate } from "../shared/reference.js";

const oneHotOp = defineOp<{ readonly depth: number }>({
  name: "oneHot",
  infer([indices], { depth }) {
    if (indices!.dtype !== "int32")
      throw new ShapeError("oneHot", `indices are ${indices!.dtype}, int32 is wanted`, "cast them first");
    return [{ shape: [...indices!.shape, depth], dtype: "float32" }];
  },
  reference: ([indices], { depth }, [out]) => [
    generate(out!, (p) => (indices!.data[Math.floor(p / depth)] === p % depth ? 1 : 0)),
  ],
  lower:
    (_b, [indices]) =>
    (at) =>
      select(eq(indices!.at(at.slice(0, -1)), at.at(-1)!), f32(1), f32(0)),
  vjp: nondifferentiable("indices are integers"),
  sample(s) {
    const depth = s.pick([1, 3, 10]);
    return {
      inputs: [{ shape: s.shape({ rank: [0, 2], max: 60 }), dtype: "int32", range: [-1, depth] }],
      params: { depth },
    };
  },
});

/**
 * `y[…, c] = 1` where `indices[…] = c`, else 0: float32 `[…, depth]`. An index outside 0 … depth − 1 gives zeros.
 *
 * @throws ShapeError when the depth is not a whole number ≥ 1
 */
export function oneHot(indices: Tensor, depth: number): Tensor {
  if (!Number.isInteger(depth) || depth < 1)
    throw new ShapeError(
      "oneHot",
      `depth ${depth} for indices ${show(indices.shape)} is not a whole number ≥ 1`,
    );
  const at = indices.dtype === "uint8" || indices.dtype === "uint32" ? cast(indices, "int32") : indices;
  return apply1(oneHotOp, [at], { depth });
}
