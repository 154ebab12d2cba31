/** Elementary functions of one operand. Integers are converted to float32 where the result is real-valued. */
import * as e from "../../expr/expr.js";
import * as m from "../../expr/math.js";
import * as trigonometry from "../../expr/trigonometry.js";
import * as f from "../shared/float64.js";
import { unary } from "./pointwise.js";

const sqrtOf = (x: e.Expr): e.Expr => e.unary("sqrt", x);

/** −x (unsigned integers wrap around). */
export const neg = unary({
  name: "neg",
  kind: "same",
  expr: (x) => (x.type === "u32" ? e.sub(e.u32(0), x) : e.unary("neg", x)),
  value: (x) => -x,
  grad: (g) => neg(g),
});

/** |x|. The derivative at 0 is 0. */
export const abs = unary({
  name: "abs",
  kind: "same",
  expr: (x) => (x.type === "u32" ? x : e.unary("abs", x)),
  value: Math.abs,
  grad: (g, x) => g.mul(sign(x)),
  values: { avoid: [0] },
});

/** −1, 0 or 1; NaN stays NaN. */
export const sign = unary({
  name: "sign",
  kind: "same",
  expr: (x) => {
    const [zero, one] = [e.constant(0, x.type), e.constant(1, x.type)];
    const below = x.type === "u32" ? x : e.select(e.lt(x, zero), e.constant(-1, x.type), x);
    return e.select(e.gt(x, zero), one, below);
  },
  value: Math.sign,
  grad: "the sign is piecewise constant",
});

/** eˣ. */
export const exp = unary({
  name: "exp",
  kind: "float",
  expr: m.exp,
  value: Math.exp,
  grad: (g, _x, y) => g.mul(y),
});

/** Natural logarithm: −∞ at 0, NaN below. */
export const log = unary({
  name: "log",
  kind: "float",
  expr: m.log,
  value: Math.log,
  grad: (g, x) => g.div(x),
  values: { range: [0.1, 4] },
});

/** ln(1 + x), accurate near 0. */
export const log1p = unary({
  name: "log1p",
  kind: "float",
  expr: m.log1p,
  value: Math.log1p,
  grad: (g, x) => g.div(x.add(1)),
  values: { range: [-0.9, 4] },
});

/** eˣ − 1, accurate near 0. */
export const expm1 = unary({
  name: "expm1",
  kind: "float",
  expr: m.expm1,
  value: Math.expm1,
  grad: (g, _x, y) => g.mul(y.add(1)),
});

/** √x; NaN below 0. */
export const sqrt = unary({
  name: "sqrt",
  kind: "float",
  expr: sqrtOf,
  value: Math.sqrt,
  grad: (g, _x, y) => g.mul(0.5).div(y),
  values: { range: [0.05, 4] },
});

/** 1/√x. */
export const rsqrt = unary({
  name: "rsqrt",
  kind: "float",
  expr: (x) => e.div(e.f32(1), sqrtOf(x)),
  value: (x) => 1 / Math.sqrt(x),
  grad: (g, _x, y) => g.mul(-0.5).mul(y.mul(y.mul(y))),
  values: { range: [0.2, 4] },
});

/** sin x, x in radians; accurate to 2.5 units in the last place of float32 for every finite x, NaN of ±∞. */
export const sin = unary({
  name: "sin",
  kind: "float",
  expr: trigonometry.sin,
  value: Math.sin,
  grad: (g, x) => g.mul(cos(x)),
});

/** cos x, x in radians; accurate to 2.5 units in the last place of float32 for every finite x, NaN of ±∞. */
export const cos = unary({
  name: "cos",
  kind: "float",
  expr: trigonometry.cos,
  value: Math.cos,
  grad: (g, x) => neg(g.mul(sin(x))),
});

/** Hyperbolic tangent. */
export const tanh = unary({
  name: "tanh",
  kind: "float",
  expr: m.tanh,
  value: Math.tanh,
  grad: (g, _x, y) => g.mul(neg(y.mul(y)).add(1)),
});

/** 1 / (1 + e⁻ˣ). */
export const sigmoid = unary({
  name: "sigmoid",
  kind: "float",
  expr: m.sigmoid,
  value: f.sigmoid,
  grad: (g, _x, y) => g.mul(y.mul(neg(y).add(1))),
});

/** The error function 2/√π ∫₀ˣ e^(−t²) dt. */
export const erf = unary({
  name: "erf",
  kind: "float",
  expr: m.erf,
  value: f.erf,
  grad: (g, x) => g.mul(2 / Math.sqrt(Math.PI)).mul(exp(neg(x.mul(x)))),
});
