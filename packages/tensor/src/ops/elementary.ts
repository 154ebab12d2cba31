/** Elementary functions of one operand. Integers are converted to float32 where the result is real-valued. */
import * as e from "../expr/expr.js";
import * as m from "../expr/math.js";
import { mul } from "./arithmetic.js";
import { greater } from "./comparison.js";
import { unary } from "./pointwise.js";
import { where } from "./where.js";

/** −x (unsigned integers wrap around). */
export const neg = unary({
  name: "neg",
  kind: "same",
  expr: (x) => (x.type === "u32" ? e.sub(e.u32(0), x) : e.unary("neg", x)),
  value: (x) => -x,
  grad: (g) => neg(g),
});

/** eˣ. */
export const exp = unary({
  name: "exp",
  kind: "float",
  expr: m.exp,
  value: Math.exp,
  grad: (g, _x, y) => mul(g, y),
});

/** max(x, 0); NaN stays NaN. The derivative at 0 is 0. */
export const relu = unary({
  name: "relu",
  kind: "same",
  expr: (x) => (x.type === "u32" ? x : e.select(e.lt(x, e.constant(0, x.type)), e.constant(0, x.type), x)),
  value: (x) => (x < 0 ? 0 : x),
  grad: (g, _x, y) => where(greater(y, 0), g, 0),
  values: { avoid: [0] },
});
