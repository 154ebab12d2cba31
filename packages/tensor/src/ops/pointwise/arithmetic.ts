/** Binary arithmetic with NumPy broadcasting. Operands are promoted to a common dtype; numbers stand for constants. */
import type { Expr } from "../../expr/expr.js";
import * as e from "../../expr/expr.js";
import * as m from "../../expr/math.js";
import type { Tensor, TensorLike } from "../../tensor.js";
import { asFloat } from "../values/operands.js";
import { equal, greater } from "./comparison.js";
import { log, neg } from "./elementary.js";
import { floorMod } from "../shared/float64.js";
import { binary } from "./pointwise.js";
import { round } from "./rounding.js";
import { where } from "./where.js";

/** a + b, broadcast. */
export const add = binary({
  name: "add",
  kind: "same",
  expr: e.add,
  value: (a, b) => a + b,
  grad: ({ g }) => [g, g],
  accumulates: true,
});

/** a − b, broadcast. */
export const sub = binary({
  name: "sub",
  kind: "same",
  expr: e.sub,
  value: (a, b) => a - b,
  grad: ({ g, needs }) => [g, needs[1] ? neg(g) : undefined],
});

/** a · b, broadcast. */
export const mul = binary({
  name: "mul",
  kind: "same",
  expr: e.mul,
  value: (a, b, dtype) => (dtype === "float32" ? a * b : Math.imul(a, b)),
  grad: ({ g, a, b, needs }) => [needs[0] ? mul(g, b) : undefined, needs[1] ? mul(g, a) : undefined],
});

/** a / b in float32, broadcast; integers are converted first. */
export const div = binary({
  name: "div",
  kind: "float",
  expr: e.div,
  value: (a, b) => a / b,
  grad: ({ g, b, y, needs }) => {
    const scaled = div(g, b);
    return [scaled, needs[1] ? neg(mul(scaled, y)) : undefined];
  },
  values: [{}, { range: [0.4, 3] }],
});

/** Truncating remainder with the sign turned to the divisor's. */
function floorModExpr(a: Expr, b: Expr): Expr {
  const zero = e.constant(0, a.type);
  if (a.type === "f32") {
    // The rounded quotient may be one off; the remainder shows it.
    const r = e.sub(a, e.mul(e.unary("floor", e.div(a, b)), b));
    const below = e.select(e.gt(b, zero), e.lt(r, zero), e.gt(r, zero));
    const above = e.select(e.gt(b, zero), e.ge(r, b), e.le(r, b));
    const usual = e.select(below, e.add(r, b), e.select(above, e.sub(r, b), r));
    const agree = e.or(e.eq(a, zero), e.eq(e.lt(a, zero), e.lt(b, zero)));
    return e.select(e.and(m.isInfinite(b), m.isReal(a)), e.select(agree, a, b), usual);
  }
  const divisor = e.select(e.eq(b, zero), e.constant(1, b.type), b);
  const r = e.binary("imod", a, divisor);
  if (a.type === "u32") return r;
  // r and b disagree in sign exactly when their exclusive or is negative.
  const differs = e.and(e.ne(r, zero), e.lt(e.binary("xor", r, b), zero));
  return e.select(differs, e.add(r, b), r);
}

const multiples = [-18, -15, -12, -9, -6, -3, 0, 3, 6, 9, 12, 15, 18];

/**
 * The remainder of floor division, broadcast: it has the sign of b, as Python's `%` and NumPy's `mod`. In float32 its
 * error is up to half a unit in the last place of a; of a finite a by ±∞ it is a where the signs agree, else b. For
 * integers the remainder by 0 is 0.
 */
export const mod = binary({
  name: "mod",
  kind: "same",
  expr: floorModExpr,
  value: (a, b, dtype) => (dtype !== "float32" && b === 0 ? 0 : floorMod(a, b)),
  grad: ({ g, a, b, y, needs }) => [g, needs[1] ? neg(mul(g, round(div(sub(a, y), b)))) : undefined],
  values: [{ range: [-20, 20], avoid: multiples }, { range: [3, 3] }],
});

const extreme =
  (which: "min" | "max") =>
  (a: Expr, b: Expr): Expr => {
    if (a.type !== "f32") return which === "min" ? e.min(a, b) : e.max(a, b);
    return e.select(e.or(which === "min" ? e.le(a, b) : e.ge(a, b), m.isNan(a)), a, b);
  };

/** The winner's cotangent; equal operands share it. */
const winner = (g: Tensor, a: Tensor, b: Tensor): Tensor =>
  where(equal(a, b), mul(g, 0.5), where(greater(a, b), g, 0));

/** The smaller of a and b, broadcast; NaN if either is. Equal operands share the derivative. For axes see `min`. */
export const minimum = binary({
  name: "minimum",
  kind: "same",
  expr: extreme("min"),
  value: (a, b) => Math.min(a, b),
  grad: ({ g, a, b, needs }) => [
    needs[0] ? winner(g, b, a) : undefined,
    needs[1] ? winner(g, a, b) : undefined,
  ],
  // Both win, and no pair comes close to a tie.
  values: [{ avoid: [0] }, { range: [-0.01, 0.01] }],
});

/** The larger of a and b, broadcast; NaN if either is. Equal operands share the derivative. For axes see `max`. */
export const maximum = binary({
  name: "maximum",
  kind: "same",
  expr: extreme("max"),
  value: (a, b) => Math.max(a, b),
  grad: ({ g, a, b, needs }) => [
    needs[0] ? winner(g, a, b) : undefined,
    needs[1] ? winner(g, b, a) : undefined,
  ],
  // Both win, and no pair comes close to a tie.
  values: [{ avoid: [0] }, { range: [-0.01, 0.01] }],
});

const powOp = binary({
  name: "pow",
  kind: "float",
  expr: m.pow,
  value: (a, b) => (a === 1 || (Math.abs(a) === 1 && Math.abs(b) === Infinity) ? 1 : a ** b),
  grad: ({ g, a, b, y, needs }) => [
    needs[0] ? where(equal(b, 0), 0, mul(g, mul(b, powOp(a, sub(b, 1))))) : undefined,
    needs[1] ? where(greater(a, 0), mul(g, mul(y, log(a))), 0) : undefined,
  ],
  values: [{ range: [0.3, 3] }, { range: [-2, 2] }],
});

/**
 * aᵇ in float32, broadcast, with the special cases of IEEE 754 (a⁰ = 1ᵇ = 1 even for NaN). NaN for negative a and
 * fractional b. Small whole numbers as b become products.
 */
export function pow(a: TensorLike, b: TensorLike): Tensor {
  if (typeof a !== "number") {
    const x = asFloat(a);
    if (b === 1) return x;
    if (b === 2) return mul(x, x);
    if (b === 3) return mul(mul(x, x), x);
    if (b === -1) return div(1, x);
  }
  return powOp(a, b);
}
