/** Activation functions of neural networks. */
import * as e from "../../expr/expr.js";
import * as m from "../../expr/math.js";
import type { Tensor } from "../../tensor.js";
import { add, mul } from "./arithmetic.js";
import { greater, greaterEqual } from "./comparison.js";
import { erf, exp, neg, sigmoid, tanh } from "./elementary.js";
import * as f from "../shared/float64.js";
import { unary, unaryWith } from "./pointwise.js";
import { where } from "./where.js";

const zero = (x: e.Expr): e.Expr => e.constant(0, x.type);

/** max(x, 0); NaN stays NaN. The derivative at 0 is 0. */
export const relu = unary({
  name: "relu",
  kind: "same",
  expr: (x) => (x.type === "u32" ? x : e.select(e.lt(x, zero(x)), zero(x), x)),
  value: (x) => (x < 0 ? 0 : x),
  grad: (g, _x, y) => where(greater(y, 0), g, 0),
  keeps: "output",
  values: { avoid: [0] },
});

const leakyReluOp = unaryWith<{ readonly slope: number }>({
  name: "leakyRelu",
  kind: "float",
  expr: (x, { slope }) => e.select(e.lt(x, zero(x)), e.mul(x, e.f32(slope)), x),
  value: (x, { slope }) => (x < 0 ? slope * x : x),
  grad: (g, x, _y, { slope }) => where(greaterEqual(x, 0), g, mul(g, slope)),
  values: { avoid: [0] },
  params: (s) => ({ slope: s.pick([0.01, 0.1, 0.25]) }),
});

/** x where x ≥ 0, slope·x below. */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor => leakyReluOp(x, { slope });

interface GeluParams {
  /** tanh: the approximation ½x(1 + tanh(√(2/π)(x + 0.044715x³))). */
  readonly approximate: "none" | "tanh";
}

const [inner, cubic] = [Math.sqrt(2 / Math.PI), 0.044715];

const geluOp = unaryWith<GeluParams>({
  name: "gelu",
  kind: "float",
  expr: (x, { approximate }) => {
    const half = e.mul(x, e.f32(0.5));
    if (approximate === "none") return e.mul(half, e.add(m.erf(e.mul(x, e.f32(Math.SQRT1_2))), e.f32(1)));
    const u = e.mul(e.mul(x, e.f32(inner)), e.add(e.mul(e.mul(x, x), e.f32(cubic)), e.f32(1)));
    return e.mul(half, e.add(m.tanh(u), e.f32(1)));
  },
  value: (x, { approximate }) =>
    approximate === "none"
      ? 0.5 * x * (1 + f.erf(x * Math.SQRT1_2))
      : 0.5 * x * (1 + Math.tanh(inner * (x + cubic * x ** 3))),
  grad: (g, x, _y, { approximate }) => {
    if (approximate === "none") {
      const cdf = mul(erf(mul(x, Math.SQRT1_2)).add(1), 0.5);
      const pdf = mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return mul(g, add(cdf, mul(x, pdf)));
    }
    const square = mul(x, x);
    const t = tanh(mul(mul(x, inner), mul(square, cubic).add(1)));
    const slope = mul(mul(square, 3 * cubic).add(1), inner);
    const bend = mul(mul(x, neg(mul(t, t)).add(1)), slope);
    return mul(g, mul(add(t, bend).add(1), 0.5));
  },
  params: (s) => ({ approximate: s.pick(["none", "tanh"] as const) }),
});

/** x·Φ(x) with the normal distribution function Φ (Hendrycks & Gimpel 2016), exact or by the tanh approximation. */
export const gelu = (x: Tensor, approximate: "none" | "tanh" = "none"): Tensor => geluOp(x, { approximate });

/** x·sigmoid(x), also known as swish. */
export const silu = unary({
  name: "silu",
  kind: "float",
  expr: (x) => e.mul(x, m.sigmoid(x)),
  value: (x) => x * f.sigmoid(x),
  grad: (g, x) => {
    const s = sigmoid(x);
    return mul(g, mul(s, mul(x, neg(s).add(1)).add(1)));
  },
});

/** ln(1 + eˣ), without overflow. */
export const softplus = unary({
  name: "softplus",
  kind: "float",
  expr: (x) => e.add(e.select(e.lt(x, zero(x)), zero(x), x), m.log1p(m.exp(e.unary("neg", m.abs(x))))),
  value: f.softplus,
  grad: (g, x) => mul(g, sigmoid(x)),
});
