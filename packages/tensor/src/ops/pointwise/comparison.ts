/** Comparisons and logic with NumPy broadcasting. The results are bool and have no derivative. */
import type { Expr } from "../../expr/expr.js";
import * as e from "../../expr/expr.js";
import { binary } from "./pointwise.js";

/** Shaders compare in order: there NaN ≠ NaN is false, but not (NaN = NaN) is true. */
const different = (a: Expr, b: Expr): Expr => e.not(e.eq(a, b));

const grad = "a comparison is piecewise constant";

/** a = b, broadcast. */
export const equal = binary({ name: "equal", kind: "test", expr: e.eq, value: (a, b) => +(a === b), grad });

/** a ≠ b, broadcast; NaN differs from everything. */
export const notEqual = binary({
  name: "notEqual",
  kind: "test",
  expr: different,
  value: (a, b) => +(a !== b),
  grad,
});

/** a < b, broadcast. */
export const less = binary({ name: "less", kind: "test", expr: e.lt, value: (a, b) => +(a < b), grad });

/** a ≤ b, broadcast. */
export const lessEqual = binary({
  name: "lessEqual",
  kind: "test",
  expr: e.le,
  value: (a, b) => +(a <= b),
  grad,
});

/** a > b, broadcast. */
export const greater = binary({ name: "greater", kind: "test", expr: e.gt, value: (a, b) => +(a > b), grad });

/** a ≥ b, broadcast. */
export const greaterEqual = binary({
  name: "greaterEqual",
  kind: "test",
  expr: e.ge,
  value: (a, b) => +(a >= b),
  grad,
});

/** a and b, broadcast; operands that are not bool count as true where they are not 0. */
export const logicalAnd = binary({
  name: "logicalAnd",
  kind: "logic",
  expr: e.and,
  value: (a, b) => a && b,
  grad: "a bool has no derivative",
});

/** a or b, broadcast; operands that are not bool count as true where they are not 0. */
export const logicalOr = binary({
  name: "logicalOr",
  kind: "logic",
  expr: e.or,
  value: (a, b) => a || b,
  grad: "a bool has no derivative",
});
