/**
 * Elementary functions as expansions into the primitives of the expression language, so that every device computes the
 * same polynomials. Accurate to a few units in the last place of float32; right at 0, ±∞ and NaN.
 *
 * Polynomials are minimax fits made for this file (Remez exchange in float64, coefficients rounded to float32 one by
 * one while the rest is refitted). Range reduction follows Cody & Waite, Software Manual for the Elementary Functions.
 */
import type { Expr } from "./expr.js";
import {
  add,
  and,
  bitcast,
  cast,
  constant,
  div,
  eq,
  f32,
  ge,
  gt,
  i32,
  le,
  lt,
  mul,
  or,
  select,
  sub,
  u32,
  unary,
} from "./expr.js";
import { binary } from "./expr.js";

/** c₀ + c₁·x + c₂·x² + … */
function polynomial(x: Expr, ...c: number[]): Expr {
  return c.reduceRight<Expr | undefined>((sum, k) => (sum ? add(mul(sum, x), f32(k)) : f32(k)), undefined)!;
}

const round = (x: Expr): Expr => unary("round", x);
const abs = (x: Expr): Expr => unary("abs", x);
const neg = (x: Expr): Expr => unary("neg", x);

/** Compares bits, because compilers of shaders may assume that no value is NaN. */
export const isNaN = (x: Expr): Expr =>
  gt(binary("and", bitcast(x, "u32"), u32(0x7fffffff)), u32(0x7f800000));

/** 2ⁿ for a whole f32 n in −126 … 127. */
const pow2 = (n: Expr): Expr => bitcast(binary("shl", add(cast(n, "i32"), i32(127)), i32(23)), "f32");

/** x·2ⁿ for whole n in −252 … 254: in two steps, as 2ⁿ alone may be out of range. */
function scale(x: Expr, n: Expr): Expr {
  const half = unary("floor", mul(n, f32(0.5)));
  return mul(mul(x, pow2(half)), pow2(sub(n, half)));
}

// ln 2 in two parts; the first has few bits, so that its product with a small whole number is exact.
const ln2Hi = 0.693359375;
const ln2Lo = -2.12194440054690583e-4;

/** Clamps x to [lo, hi] and lets NaN through. */
const clampRange = (x: Expr, lo: number, hi: number): Expr =>
  select(lt(x, f32(lo)), f32(lo), select(gt(x, f32(hi)), f32(hi), x));

/** n = round(x / ln 2) and r = x − n·ln 2. */
function reduceByLn2(x: Expr): { n: Expr; r: Expr } {
  const n = round(mul(x, f32(Math.LOG2E)));
  return { n, r: sub(sub(x, mul(n, f32(ln2Hi))), mul(n, f32(ln2Lo))) };
}

export function exp(x: Expr): Expr {
  const { n, r } = reduceByLn2(clampRange(x, -104, 89));
  const p = polynomial(
    r,
    0.5,
    0.16666516661643982,
    0.04166810214519501,
    0.00836916547268629,
    0.0013837997103109956,
  );
  return scale(add(add(mul(mul(r, r), p), r), f32(1)), n);
}
