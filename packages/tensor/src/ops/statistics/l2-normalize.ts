/** Vectors of unit length. */
import { add, div, f32, max, mul, unary } from "../../expr/expr.js";
import { defineOp } from "../../op.js";
import { normalizeAxis } from "../../shape.js";
import { ShapeError } from "../../errors.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { maximum, mul as times, sub as minus } from "../pointwise/arithmetic.js";
import { greater } from "../pointwise/comparison.js";
import { rsqrt } from "../pointwise/elementary.js";
import { reduce } from "../reductions/reduce.js";
import { eachReduced, zerosLike } from "../shared/reference.js";
import { sum } from "../reductions/sum.js";
import { where } from "../pointwise/where.js";

interface NormalizeParams {
  readonly axis: number;
  readonly eps: number;
}

const l2NormalizeOp = defineOp<NormalizeParams>({
  name: "l2Normalize",
  infer([x]) {
    if (x!.dtype !== "float32")
      throw new ShapeError("l2Normalize", `input is ${x!.dtype}, float32 is wanted`, "cast it first");
    return [x!];
  },
  reference([x], { axis, eps }, [out]) {
    const y = zerosLike(out!);
    const norms: number[] = [];
    eachReduced(x!, [axis], (_, line) => {
      norms.push(
        Math.sqrt(
          Math.max(
            eps,
            line.reduce((s, v) => s + v * v, 0),
          ),
        ),
      );
    });
    const inner = x!.shape.slice(axis + 1).reduce((n, d) => n * d, 1);
    x!.data.forEach((v, p) => {
      y.data[p] = v / norms[Math.floor(p / (inner * x!.shape[axis]!)) * inner + (p % inner)]!;
    });
    return [y];
  },
  lower(b, [x], _outs, { axis, eps }) {
    const from = x!.cached();
    const squares = reduce(b, x!.shape, [axis], {
      types: ["float32"],
      init: [f32(0)],
      element: (at) => {
        const v = from.at(at);
        return [mul(v, v)];
      },
      merge: ([s], [v]) => [add(s!, v!)],
      blocked: true,
    });
    const shape = x!.shape.toSpliced(axis, 1);
    const stored = b.temp("float32", shape);
    b.map([stored], shape, (at) => [div(f32(1), unary("sqrt", max(squares(at)[0]!, f32(eps))))]);
    const factors = b.view(stored, shape);
    return (at) => mul(from.at(at), factors.at(at.toSpliced(axis, 1)));
  },
  vjp({ inputs, outputs, grads, params: { axis, eps } }) {
    const [x, y, g] = [inputs[0]!, outputs[0]!, grads[0]!];
    const squares = sum(times(x, x), axis, true);
    // A guarded norm is a constant: then only the factor remains.
    const along = where(greater(squares, eps), sum(times(g, y), axis, true), 0);
    return [times(minus(g, times(y, along)), rsqrt(maximum(squares, eps)))];
  },
  sample(s) {
    const shape = s.shape({ rank: [1, 3] });
    return {
      inputs: [{ shape, range: [0.2, 2] }],
      params: { axis: s.int(0, shape.length - 1), eps: s.pick([1e-12, 1e-3]) },
    };
  },
});

export interface L2NormalizeOptions {
  /** Least squared length that is divided by. Default 10⁻¹². */
  readonly eps?: number;
}

/**
 * Scales vectors along an axis (the last by default) to unit length: `y = x / √max(Σx², eps)`. A zero vector stays
 * zero, as in BYOL's loss (Grill et al. 2020, released code).
 *
 * @param x float32 of rank 1 or more
 */
export function l2Normalize(x: Tensor, axis = -1, { eps = 1e-12 }: L2NormalizeOptions = {}): Tensor {
  return apply1(l2NormalizeOp, [x], { axis: normalizeAxis("l2Normalize", axis, x.rank), eps });
}
