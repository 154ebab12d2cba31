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
  binary,
  bitcast,
  cast,
  div,
  eq,
  f32,
  gt,
  i32,
  lt,
  min,
  mul,
  ne,
  not,
  or,
  select,
  sub,
  u32,
  unary,
} from "./expr.js";
import { masked } from "./words.js";

/** c₀ + c₁·x + c₂·x² + … */
export function polynomial(x: Expr, c: readonly number[]): Expr {
  return c.reduceRight<Expr | undefined>((sum, k) => (sum ? add(mul(sum, x), f32(k)) : f32(k)), undefined)!;
}

const round = (x: Expr): Expr => unary("round", x);
const floor = (x: Expr): Expr => unary("floor", x);
const neg = (x: Expr): Expr => unary("neg", x);
export const abs = (x: Expr): Expr => unary("abs", x);

/** The bits of |x|. They are compared, because compilers of shaders may assume that no value is NaN. */
const bitsOfSize = (x: Expr): Expr => masked(bitcast(x, "u32"), 0x7fffffff);
export const isNan = (x: Expr): Expr => gt(bitsOfSize(x), u32(0x7f800000));
export const isInfinite = (x: Expr): Expr => eq(bitsOfSize(x), u32(0x7f800000));
/** Neither NaN nor infinite. */
export const isReal = (x: Expr): Expr => lt(bitsOfSize(x), u32(0x7f800000));

/** |x| with the sign bit of `sign`. */
const copySign = (x: Expr, sign: Expr): Expr =>
  bitcast(
    binary("or", masked(bitcast(x, "u32"), 0x7fffffff), masked(bitcast(sign, "u32"), 0x80000000)),
    "f32",
  );

/** The 12 leading bits of x: products of two such numbers are exact. */
const leading = (x: Expr): Expr => bitcast(masked(bitcast(x, "u32"), 0xfffff000), "f32");

/** 2ⁿ for a whole f32 n in −126 … 127. */
const pow2 = (n: Expr): Expr =>
  bitcast(binary("shl", bitcast(add(cast(n, "i32"), i32(127)), "u32"), u32(23)), "f32");

/** x·2ⁿ for whole n in −252 … 254: in two steps, as 2ⁿ alone may be out of range. */
function scale(x: Expr, n: Expr): Expr {
  const half = floor(mul(n, f32(0.5)));
  return mul(mul(x, pow2(half)), pow2(sub(n, half)));
}

/** Clamps x to [lo, hi] and lets NaN through. */
export const clamp = (x: Expr, lo: number, hi: number): Expr =>
  select(lt(x, f32(lo)), f32(lo), select(gt(x, f32(hi)), f32(hi), x));

// ---------------------------------------------------------------- exponentials

// ln 2 in two parts; the first has so few bits that its product with a small whole number is exact.
const ln2Hi = 0.693359375;
const ln2Lo = Math.LN2 - ln2Hi;

/** n = round(x / ln 2) and r = x − n·ln 2. */
function reduceByLn2(x: Expr): { n: Expr; r: Expr } {
  const n = round(mul(x, f32(Math.LOG2E)));
  return { n, r: sub(sub(x, mul(n, f32(ln2Hi))), mul(n, f32(ln2Lo))) };
}

/** (eʳ − 1 − r) / r² for |r| ≤ ½ ln 2, error 2⁻²⁸ of eʳ. */
const expTail = [
  0.4999999403953552, 0.16666516661643982, 0.04166810214519501, 0.00836916547268629, 0.0013837997103109956,
];
const expNear0 = (r: Expr): Expr => add(add(mul(mul(r, r), polynomial(r, expTail)), r), f32(1));

export function exp(x: Expr): Expr {
  const { n, r } = reduceByLn2(clamp(x, -104, 89));
  return scale(expNear0(r), n);
}

/** As `expTail`, relative to eʳ − 1. */
const expm1Tail = [
  0.5, 0.16666635870933533, 0.041666511446237564, 0.008341509848833084, 0.001393053913488984,
  0.00015046107000671327,
];

/** eˣ − 1 = 2ⁿ·((eʳ − 1) + (1 − 2⁻ⁿ)), which loses nothing near 0. */
export function expm1(x: Expr): Expr {
  const bounded = clamp(x, -20, 89);
  const { n, r: reduced } = reduceByLn2(bounded);
  const r = select(eq(n, f32(0)), bounded, reduced);
  const near0 = add(mul(mul(r, r), polynomial(r, expm1Tail)), r);
  // Beyond n = 30 the term 2⁻ⁿ is lost in rounding, and its bits would leave the range of exponents.
  const rest = sub(f32(1), pow2(neg(min(n, f32(30)))));
  return select(eq(x, f32(0)), x, select(eq(n, f32(0)), near0, scale(add(near0, rest), n)));
}

export const sigmoid = (x: Expr): Expr => div(f32(1), add(f32(1), exp(neg(x))));

/** tanh|x| = −t / (t + 2) with t = e^(−2|x|) − 1. */
export function tanh(x: Expr): Expr {
  const t = expm1(mul(abs(x), f32(-2)));
  return copySign(div(t, add(t, f32(2))), x);
}

// ---------------------------------------------------------------- logarithms

/** (ln(1 + f) − f + f²/2) / f³ for √½ − 1 ≤ f ≤ √2 − 1, error 2⁻²⁹. */
const logTail = [
  0.3333331346511841, -0.2500016987323761, 0.20002225041389465, -0.16659213602542877, 0.14209423959255219,
  -0.12552155554294586, 0.12112265825271606, -0.10904162377119064, 0.053173672407865524,
];

/** x = 2ᵉ·(1 + f) with √½ ≤ 1 + f < √2, for positive finite x; f is exact. */
function decompose(x: Expr): { e: Expr; f: Expr; m: Expr } {
  const tiny = lt(x, f32(2 ** -126));
  const bits = bitcast(select(tiny, mul(x, f32(2 ** 23)), x), "u32");
  // Subtracting the bits of √½ first makes the exponent field step at √½·2ᵉ. Signed shift: e may be negative.
  const e = binary("shr", bitcast(sub(bits, u32(0x3f3504f3)), "i32"), i32(23));
  const m = bitcast(sub(bits, binary("shl", bitcast(e, "u32"), u32(23))), "f32");
  return { e: sub(cast(e, "f32"), select(tiny, f32(23), f32(0))), f: sub(m, f32(1)), m };
}

/** e·ln 2 + ln(1 + f) + tail. */
function logOf(e: Expr, f: Expr, tail: Expr): Expr {
  const z = mul(f, f);
  const small = add(add(mul(mul(z, f), polynomial(f, logTail)), mul(e, f32(ln2Lo))), tail);
  return add(add(sub(small, mul(z, f32(0.5))), f), mul(e, f32(ln2Hi)));
}

/** The values of a logarithm at and beyond the ends of its domain, at `zero` where the argument is 0. */
function logEdges(argument: Expr, inside: Expr): Expr {
  const positive = select(eq(argument, f32(Infinity)), argument, inside);
  const outside = select(eq(argument, f32(0)), f32(-Infinity), f32(NaN));
  return select(isNan(argument), argument, select(gt(argument, f32(0)), positive, outside));
}

export function log(x: Expr): Expr {
  const { e, f } = decompose(x);
  return logEdges(x, logOf(e, f, f32(0)));
}

export function log1p(x: Expr): Expr {
  const u = add(x, f32(1));
  const { e, f } = decompose(u);
  // What rounding took from 1 + x, to first order.
  const lost = select(lt(x, f32(1)), sub(x, sub(u, f32(1))), sub(f32(1), sub(u, x)));
  const near = and(gt(x, f32(Math.SQRT1_2 - 1)), lt(x, f32(Math.SQRT2 - 1)));
  const inside = logOf(select(near, f32(0), e), select(near, x, f), select(near, f32(0), div(lost, u)));
  return select(eq(x, f32(0)), x, logEdges(u, inside));
}

// ---------------------------------------------------------------- error function

/** erf(x)/x − 1 in x² for |x| ≤ 0.9; −ln(erfc x) for 0.9 ≤ x ≤ 4, where erfc fades below float32. */
const erfNear0 = [
  0.12837915122509003, -0.3761250376701355, 0.11281921714544296, -0.026770493015646935, 0.004998959135264158,
  -0.0006020799628458917,
];
const erfcExponent = [
  0.00015284471737686545, 1.1278544664382935, 0.6368780136108398, 0.10420125722885132, -0.022358154878020287,
  0.0030764415860176086, -0.0001993546320591122,
];

export function erf(x: Expr): Expr {
  const a = abs(x);
  const near = add(mul(x, polynomial(mul(x, x), erfNear0)), x);
  const far = sub(f32(1), exp(neg(polynomial(select(gt(a, f32(4)), f32(4), a), erfcExponent))));
  return select(lt(a, f32(0.9)), near, select(isNan(x), x, copySign(far, x)));
}

// ---------------------------------------------------------------- powers

// 2/ln 2 in 12 leading bits and the rest.
const log2Hi = 2.884765625;
const log2Lo = 0.0006244567921385169;
/** (log₂ m − (2/ln 2)·s) / s³ in s², where s = (m − 1)/(m + 1). */
const log2Tail = [0.9617967009544373, 0.5770789384841919, 0.4119150936603546, 0.336783230304718];

/** 2^(b·log₂ a) for finite a > 0, with log₂ a and the product carried in two parts each. */
function powPositive(a: Expr, b: Expr): Expr {
  const { e, f, m } = decompose(a);
  const t = add(m, f32(1));
  const s = div(f, t);
  const sHi = leading(s);
  const tHi = leading(t);
  const tLo = sub(m, sub(tHi, f32(1)));
  const sLo = div(sub(sub(f, mul(sHi, tHi)), mul(sHi, tLo)), t);
  const z = mul(s, s);
  const tail = add(mul(sLo, f32(log2Hi + log2Lo)), mul(mul(s, z), polynomial(z, log2Tail)));
  const first = mul(sHi, f32(log2Hi));
  const low = add(mul(sHi, f32(log2Lo)), tail);
  const sum = add(e, first);
  const lost = add(sub(first, sub(sum, e)), low);
  const logHi = leading(add(sum, lost));
  const logLo = add(sub(sum, logHi), lost);
  const bHi = leading(b);
  const product = mul(bHi, logHi);
  const rest = add(mul(sub(b, bHi), logHi), mul(b, logLo));
  const y = add(product, rest);
  const n = round(clamp(y, -152, 130));
  const r = add(sub(product, n), rest);
  const value = scale(expNear0(mul(r, f32(Math.LN2))), n);
  return select(gt(y, f32(129)), f32(Infinity), select(lt(y, f32(-151)), f32(0), value));
}

/** aᵇ with the special cases of IEEE 754 (as in C and NumPy): a⁰ = 1ᵇ = 1 even for NaN. */
export function pow(a: Expr, b: Expr): Expr {
  const size = abs(a);
  const infinite = f32(Infinity);
  const extreme = or(or(eq(size, f32(0)), eq(size, infinite)), eq(abs(b), infinite));
  const grows = or(and(gt(size, f32(1)), gt(b, f32(0))), and(lt(size, f32(1)), lt(b, f32(0))));
  const known = select(grows, infinite, f32(0));
  const magnitude = select(extreme, known, powPositive(size, b));
  const half = mul(b, f32(0.5));
  const whole = eq(floor(b), b);
  const odd = and(whole, ne(floor(half), half));
  const signed = select(odd, copySign(magnitude, a), magnitude);
  const defined = select(and(and(lt(a, f32(0)), not(whole)), ne(size, infinite)), f32(NaN), signed);
  const checked = select(or(isNan(a), isNan(b)), f32(NaN), defined);
  const minusOne = and(eq(size, f32(1)), eq(abs(b), infinite));
  return select(or(or(eq(b, f32(0)), eq(a, f32(1))), minusOne), f32(1), checked);
}
