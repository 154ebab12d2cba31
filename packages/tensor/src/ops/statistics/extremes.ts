/** Largest and smallest elements along axes, products, and the logical reductions. NaN wins over every number. */
import { type DType, scalarOf } from "../../dtype.js";
import { ShapeError } from "../../errors.js";
import type { Expr } from "../../expr/expr.js";
import * as e from "../../expr/expr.js";
import * as m from "../../expr/math.js";
import { defineOp, nondifferentiable, type Vjp } from "../../op.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { div, mul } from "../pointwise/arithmetic.js";
import {
  type AxesParams,
  along,
  reduceReference,
  refuseEmpty,
  sampleAxes,
  without,
} from "../reductions/axes.js";
import { stretchBack } from "../reductions/sum.js";
import { cast } from "../values/cast.js";
import { equal } from "../pointwise/comparison.js";
import { reduce } from "../reductions/reduce.js";
import { sum } from "../reductions/sum.js";
import { where } from "../pointwise/where.js";

const numbers: readonly DType[] = ["float32", "float32", "int32", "uint32", "uint8"];

/** The cotangent goes to the elements that equal the extreme, in equal shares. */
const toWinners: Vjp<AxesParams> = ({ inputs: [x], outputs: [y], grads: [g], params: { axes } }) => {
  if (x!.dtype !== "float32") return [undefined];
  const wins = equal(x!, stretchBack(y!, x!.shape, axes));
  const share = div(g!, sum(cast(wins, "float32"), axes));
  return [where(wins, stretchBack(share, x!.shape, axes), 0)];
};

/** The value that never wins. */
function neutral(which: "min" | "max", dtype: DType): Expr {
  const [lo, hi] =
    dtype === "float32"
      ? [-Infinity, Infinity]
      : dtype === "int32"
        ? [-(2 ** 31), 2 ** 31 - 1]
        : [0, 2 ** 32 - 1];
  return e.constant(which === "max" ? lo : hi, scalarOf[dtype]);
}

function extreme(which: "min" | "max") {
  const beats = which === "max" ? e.gt : e.lt;
  return defineOp<AxesParams>({
    name: which,
    infer([x], { axes }) {
      refuseEmpty(which, x!.shape, axes);
      return [{ shape: without(x!.shape, axes), dtype: x!.dtype }];
    },
    reference: reduceReference((elements) =>
      elements.reduce((a, v) => (which === "max" ? Math.max(a, v) : Math.min(a, v))),
    ),
    lower(b, [x], [out], { axes }) {
      const best = reduce(b, x!.shape, axes, {
        types: [out!.dtype === "uint8" ? "uint32" : out!.dtype],
        init: [neutral(which, out!.dtype)],
        element: (at) => [x!.at(at)],
        merge: ([s], [v]) =>
          s!.type === "f32"
            ? [e.select(e.or(beats(v!, s!), m.isNan(v!)), v!, s!)]
            : [which === "max" ? e.max(s!, v!) : e.min(s!, v!)],
      });
      return (at) => best(at)[0]!;
    },
    vjp: toWinners,
    sample: (s) => {
      const { shape, axes, dtype } = sampleAxes(s, numbers, true);
      return { inputs: [{ shape, dtype, distinct: dtype === "float32" }], params: { axes } };
    },
  });
}

const [minOp, maxOp] = [extreme("min"), extreme("max")];

/**
 * Largest element along `axes` (all when left out); NaN if there is one. Elements that share the maximum share its
 * derivative equally. For two tensors see `maximum`.
 */
export function max(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  const wide = x.dtype === "bool" ? cast(x, "int32") : x;
  return along("max", x, axes, keepDims, (named) => apply1(maxOp, [wide], { axes: named }));
}

/** Smallest element along `axes`; otherwise as `max`. For two tensors see `minimum`. */
export function min(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  const wide = x.dtype === "bool" ? cast(x, "int32") : x;
  return along("min", x, axes, keepDims, (named) => apply1(minOp, [wide], { axes: named }));
}

const prodOp = defineOp<AxesParams>({
  name: "prod",
  infer([x], { axes }) {
    if (x!.dtype === "bool" || x!.dtype === "uint8")
      throw new ShapeError("prod", `${x!.dtype} is too narrow for products`);
    return [{ shape: without(x!.shape, axes), dtype: x!.dtype }];
  },
  reference: ([x], params, outs) =>
    reduceReference((elements) =>
      elements.reduce((a, v) => (x!.dtype === "float32" ? a * v : Math.imul(a, v)), 1),
    )([x!], params, outs),
  lower(b, [x], [out], { axes }) {
    const total = reduce(b, x!.shape, axes, {
      types: [out!.dtype],
      init: [e.constant(1, scalarOf[out!.dtype])],
      element: (at) => [x!.at(at)],
      merge: ([s], [v]) => [e.mul(s!, v!)],
      blocked: out!.dtype === "float32",
    });
    return (at) => total(at)[0]!;
  },
  vjp: ({ inputs: [x], grads: [g], params: { axes } }) => {
    if (x!.dtype !== "float32") return [undefined];
    // The product of the others: with one zero among the factors, only that factor's derivative is not 0.
    const zero = equal(x!, 0);
    const rest = where(zero, 1, x!);
    const product = mul(g!, prod(rest, axes));
    const zeros = sum(zero, axes);
    const none = stretchBack(where(equal(zeros, 0), product, 0), x!.shape, axes);
    const lone = stretchBack(where(equal(zeros, 1), product, 0), x!.shape, axes);
    return [where(zero, lone, div(none, rest))];
  },
  sample: (s) => {
    const { shape, axes, dtype } = sampleAxes(s, ["float32", "float32", "int32"]);
    // Values near 1 keep products of hundreds of factors in range.
    return {
      inputs: [{ shape, dtype, ...(dtype === "float32" ? { range: [0.95, 1.06] as const } : {}) }],
      params: { axes },
    };
  },
  // Every one of up to 3,000 factors adds half a unit in the last place.
  tolerance: 1e-4,
});

/** Product along `axes` (all when left out); 1 of no elements. bool and uint8 are multiplied in int32. */
export function prod(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  const wide = x.dtype === "bool" || x.dtype === "uint8" ? cast(x, "int32") : x;
  return along("prod", x, axes, keepDims, (named) => apply1(prodOp, [wide], { axes: named }));
}

function logical(name: "any" | "all", merge: (a: Expr, b: Expr) => Expr) {
  return defineOp<AxesParams>({
    name,
    infer([x], { axes }) {
      if (x!.dtype !== "bool") throw new ShapeError(name, `wants bool, got ${x!.dtype}`, "cast it first");
      return [{ shape: without(x!.shape, axes), dtype: "bool" }];
    },
    reference: reduceReference(
      (elements) => +(name === "any" ? elements.some((v) => v) : elements.every((v) => v)),
    ),
    lower(b, [x], _outs, { axes }) {
      const found = reduce(b, x!.shape, axes, {
        types: ["bool"],
        init: [e.bool(name === "all")],
        element: (at) => [x!.at(at)],
        merge: ([s], [v]) => [merge(s!, v!)],
      });
      return (at) => found(at)[0]!;
    },
    vjp: nondifferentiable("a bool has no derivative"),
    sample: (s) => {
      const { shape, axes } = sampleAxes(s, ["bool"]);
      return { inputs: [{ shape, dtype: "bool" }], params: { axes } };
    },
  });
}

const [anyOp, allOp] = [logical("any", e.or), logical("all", e.and)];

/** Whether an element along `axes` (all when left out) is true, or not 0; false of no elements. */
export function any(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  return along("any", x, axes, keepDims, (named) => apply1(anyOp, [cast(x, "bool")], { axes: named }));
}

/** Whether every element along `axes` (all when left out) is true, or not 0; true of no elements. */
export function all(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  return along("all", x, axes, keepDims, (named) => apply1(allOp, [cast(x, "bool")], { axes: named }));
}
