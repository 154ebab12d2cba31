/**
 * Sine and cosine, accurate to a few units in the last place of float32 for every finite argument.
 *
 * Reduction after Payne & Hanek, "Radian reduction for trigonometric functions" (SIGNUM 1983): of x·2/π only the bits
 * below 4 matter, so that 96 bits of 2/π, chosen by the exponent of x, give the quadrant and 62 bits of the fraction.
 */
import {
  add,
  binary,
  bitcast,
  cast,
  type Expr,
  f32,
  i32,
  le,
  lt,
  mul,
  ne,
  select,
  sub,
  u32,
} from "./expr.js";
import { polynomial } from "./math.js";
import { masked, mulHigh, shl, shr } from "./words.js";

/** ⌊2/π · 2¹⁹⁰⌋. */
const twoOverPi = BigInt("0x28be60db9391054a7f09d5f47d4d377036d8a5664f10e410");
/** Exponents come in groups of 8, from that of ½. */
const groups = 16;

/** The 32 bits of 2/π whose weights begin with 2^(25 − 8·group − 32·word): zeros above 2⁻¹. */
const bitsOf = (group: number, word: number): Expr =>
  u32(Number((twoOverPi >> BigInt(216 - 32 - 8 * group - 32 * word)) & BigInt(0xffffffff)));

/** entries[i], by the bits of i. */
function lookup(i: Expr, entries: readonly Expr[]): Expr {
  if (entries.length === 1) return entries[0]!;
  const half = entries.length / 2;
  const [low, high] = [lookup(i, entries.slice(0, half)), lookup(i, entries.slice(half))];
  return select(ne(masked(i, half), u32(0)), high, low);
}

const xor = (a: Expr, b: Expr): Expr => binary("xor", a, b);
/** x with its sign turned where the sign bit of `by` is set. */
const xorSign = (x: Expr, by: Expr): Expr => bitcast(xor(bitcast(x, "u32"), masked(by, 0x80000000)), "f32");

/** x = (n + f)·π/2 with |f| ≤ ½, for the bits of a finite x ≥ ½: n mod 4, and f as a signed number of 64 bits, 2⁻⁶² each. */
function quadrant(bits: Expr): { n: Expr; high: Expr; low: Expr } {
  const exponent = sub(binary("max", shr(bits, 23), u32(126)), u32(126));
  const group = binary("min", shr(exponent, 3), u32(groups - 1));
  const rest = sub(exponent, shl(group, 3));
  const power = cast(bitcast(shl(add(rest, u32(127)), 23), "f32"), "u32");
  const m = mul(binary("or", masked(bits, 0x7fffff), u32(0x800000)), power);
  const [a, b, c] = [0, 1, 2].map((word) =>
    lookup(
      group,
      Array.from({ length: groups }, (_, g) => bitsOf(g, word)),
    ),
  ) as [Expr, Expr, Expr];
  const last = mulHigh(m, c);
  const low = add(mul(m, b), last);
  const carry = select(lt(low, last), u32(1), u32(0));
  const phase = add(add(mul(m, a), mulHigh(m, b)), carry);
  const n = shr(add(phase, u32(2 ** 29)), 30);
  return { n, high: sub(phase, shl(n, 30)), low };
}

/** (sin r − r) / r³ and (cos r − 1 + r²/2) / r⁴ in r², |r| ≤ π/4. */
const sinTail = [-0.16666655242443085, 0.008332187309861183, -0.00019517895998433232];
const cosTail = [0.04166664555668831, -0.0013887309469282627, 0.000024432327336398885];

const halfPi = Math.fround(Math.PI / 2);

/** sin(x + quarter·π/2). */
function sine(x: Expr, quarter: number): Expr {
  const bits = bitcast(x, "u32");
  const sign = masked(bits, 0x80000000);
  const size = xor(bits, sign);
  const { n, high, low } = quadrant(size);
  // Of a negative fraction the magnitude, one unit of 2⁻⁶² short; so the parts below add up without cancelling.
  const negative = binary("shr", bitcast(high, "i32"), i32(31));
  const flip = bitcast(negative, "u32");
  const [h, l] = [xor(high, flip), xor(low, flip)];
  const middle = binary("or", shl(masked(h, 0xff), 16), shr(l, 16));
  const part = (word: Expr, scale: number): Expr => mul(cast(word, "f32"), f32(scale));
  const fraction = add(
    part(shr(h, 8), 2 ** -22),
    add(part(middle, 2 ** -46), part(masked(l, 0xffff), 2 ** -62)),
  );
  const reduced = add(mul(fraction, f32(halfPi)), mul(fraction, f32(Math.PI / 2 - halfPi)));
  const near = le(size, bitcast(f32(Math.PI / 4), "u32"));
  const r = select(near, bitcast(size, "f32"), reduced);
  const turned = select(near, u32(quarter), add(n, u32(quarter)));
  const z = mul(r, r);
  const sin = add(mul(mul(z, r), polynomial(z, sinTail)), r);
  const cos = add(sub(mul(mul(z, z), polynomial(z, cosTail)), mul(z, f32(0.5))), f32(1));
  const value = select(ne(masked(turned, 1), u32(0)), cos, xorSign(sin, select(near, u32(0), flip)));
  const turn = xor(shl(masked(turned, 2), 30), quarter === 0 ? sign : u32(0));
  const finite = lt(size, u32(0x7f800000));
  return select(finite, xorSign(value, turn), f32(NaN));
}
export const sin = (x: Expr): Expr => sine(x, 0);
export const cos = (x: Expr): Expr => sine(x, 1);
