/** Rounding, clipping and tests of single values. */
import { ShapeError } from "../../errors.js";
import * as e from "../../expr/expr.js";
import * as m from "../../expr/math.js";
import type { Tensor } from "../../tensor.js";
import { asFloat } from "../values/operands.js";
import { greaterEqual, lessEqual, logicalAnd } from "./comparison.js";
import { roundHalfEven } from "../shared/float64.js";
import { unary, unaryWith } from "./pointwise.js";
import { where } from "./where.js";

const constant = "rounding is piecewise constant";
const between = { avoid: [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2] };
const rounded =
  (fn: "floor" | "ceil" | "round") =>
  (x: e.Expr): e.Expr =>
    x.type === "f32" ? e.unary(fn, x) : x;

/** The largest whole number ≤ x. */
export const floor = unary({
  name: "floor",
  kind: "same",
  expr: rounded("floor"),
  value: Math.floor,
  grad: constant,
  values: between,
});

/** The smallest whole number ≥ x. */
export const ceil = unary({
  name: "ceil",
  kind: "same",
  expr: rounded("ceil"),
  value: Math.ceil,
  grad: constant,
  values: between,
});

/** The nearest whole number, halves to the even one. */
export const round = unary({
  name: "round",
  kind: "same",
  expr: rounded("round"),
  value: roundHalfEven,
  grad: constant,
  values: between,
});

interface ClipParams {
  readonly lo: number;
  readonly hi: number;
}

const clipOp = unaryWith<ClipParams>({
  name: "clip",
  kind: "same",
  expr: (x, { lo, hi }) => {
    const least = x.type === "f32" ? -Infinity : x.type === "u32" ? 0 : -(2 ** 31);
    const most = x.type === "f32" ? Infinity : x.type === "u32" ? 2 ** 32 - 1 : 2 ** 31 - 1;
    const bound = (v: number): e.Expr => e.constant(Math.min(most, Math.max(least, v)), x.type);
    const below = hi < most ? e.select(e.gt(x, bound(hi)), bound(hi), x) : x;
    return lo > least ? e.select(e.lt(x, bound(lo)), bound(lo), below) : below;
  },
  value: (x, { lo, hi }) => (x < lo ? lo : x > hi ? hi : x),
  grad: (g, x, _y, { lo, hi }) => where(logicalAnd(greaterEqual(x, lo), lessEqual(x, hi)), g, 0),
  values: ({ lo, hi }) => ({ avoid: [lo, hi].filter(Number.isFinite) }),
  params: (s) => ({ lo: s.pick([-1, 0, -Infinity]), hi: s.pick([1, 2, Infinity]) }),
});

/**
 * x limited to [lo, hi]; either may be infinite. NaN stays NaN. The derivative is 1 at the bounds. Integers clipped
 * at fractions become float32.
 */
export function clip(x: Tensor, lo: number, hi: number): Tensor {
  if (!(lo <= hi)) throw new ShapeError("clip", `lower bound ${lo} is not ≤ upper bound ${hi}`);
  const fractional = [lo, hi].some((v) => Number.isFinite(v) && !Number.isInteger(v));
  const limits = x.dtype === "uint8" ? { lo: Math.max(0, lo), hi: Math.min(255, hi) } : { lo, hi };
  return fractional ? clipOp(asFloat(x), { lo, hi }) : clipOp(x, limits);
}

/** Whether x is NaN; false for every integer. */
const nan = unary({
  name: "isNaN",
  kind: "test",
  expr: (x) => (x.type === "f32" ? m.isNan(x) : e.bool(false)),
  value: (x) => +Number.isNaN(x),
  grad: "a test is piecewise constant",
});

/** Logical negation. */
export const not = unary({
  name: "not",
  kind: "logic",
  expr: e.not,
  value: (x) => +!x,
  grad: "a bool has no derivative",
});

export { nan as isNaN };
