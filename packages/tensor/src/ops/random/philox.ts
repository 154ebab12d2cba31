/** Philox-4x32-10 and what is made of its words, as expressions; random.ts is the same on the host, bit for bit. */
import {
  add,
  binary,
  bitcast,
  cast,
  constant,
  type Expr,
  eq,
  f32,
  flatten,
  ge,
  i32,
  idiv,
  imod,
  lt,
  min,
  mul,
  ne,
  select,
  sub,
  u32,
  unary,
} from "../../expr/expr.js";
import { masked as and, mulHigh, shl, shr } from "../../expr/words.js";
import type { Source } from "../../op.js";
import { SEGMENTS_PER_OCTAVE } from "./normal-table.js";
import { NORMAL_UNIT, PHILOX, TWO_SIGMA } from "./bits.js";

const xor = (...es: readonly Expr[]): Expr => es.reduce((a, b) => binary("xor", a, b));

/** The random word of the element at a flat position: word position mod 4 of block ⌊position / 4⌋. */
function wordAt(key: Source, position: Expr, stream: number): Expr {
  let [c0, c1, c2, c3]: Expr[] = [cast(idiv(position, 4), "u32"), u32(0), u32(stream), u32(0)];
  const [k0, k1] = [key.at([i32(0)]), key.at([i32(1)])];
  for (let round = 0; round < PHILOX.rounds; round++) {
    const r0 = add(k0, u32(Math.imul(PHILOX.w0, round)));
    const r1 = add(k1, u32(Math.imul(PHILOX.w1, round)));
    [c0, c1, c2, c3] = [
      xor(mulHigh(u32(PHILOX.m1), c2!), c1!, r0),
      mul(u32(PHILOX.m1), c2!),
      xor(mulHigh(u32(PHILOX.m0), c0!), c3!, r1),
      mul(u32(PHILOX.m0), c0!),
    ];
  }
  const lane = imod(position, 4);
  return select(lt(lane, i32(2)), select(eq(lane, i32(0)), c0!, c1!), select(eq(lane, i32(2)), c2!, c3!));
}

/** The random word of the element at an index. */
export const wordsOf =
  (key: Source, shape: readonly number[], stream: number) =>
  (at: readonly Expr[]): Expr =>
    wordAt(key, flatten(at, shape), stream);

/** A multiple of 2⁻²⁴ in [0, 1): exact in float32. */
export const uniformExpr = (word: Expr): Expr => mul(cast(shr(word, 8), "f32"), f32(2 ** -24));

/**
 * a·b + c with the product rounded before the sum on every device: a compiler may not fuse what passes through a
 * minimum that it cannot prove idle. `most` bounds |a·b|.
 */
export function scaled(a: Expr, b: number, c: number, most: number): Expr {
  const product = b === 1 ? a : mul(a, f32(b));
  return c === 0 ? product : add(min(product, f32(most)), f32(c));
}

/** |z| in units of 2⁻²¹, an i32; see random.ts. Powers of two are made as float bits: shifts by lanes are dear. */
function quantileExpr(r: Expr, table: Source): Expr {
  const powerOfTwo = (exponentBits: Expr): Expr => cast(bitcast(shl(exponentBits, 23), "f32"), "u32");
  // The float of up to 24 bits is exact, and its exponent finds the leading one.
  const large = ge(r, u32(1 << 24));
  const exponent = shr(bitcast(cast(select(large, shr(r, 8), r), "f32"), "u32"), 23);
  const leading = add(exponent, select(large, u32(8), u32(0)));
  const octave = select(eq(r, u32(0)), u32(31), sub(u32(127 + 30), leading));
  const scale = powerOfTwo(add(octave, u32(127)));
  const m = add(mul(r, scale), shr(scale, 1));
  const inOctave = and(shr(m, 24), SEGMENTS_PER_OCTAVE - 1);
  const segment = cast(add(mul(octave, u32(SEGMENTS_PER_OCTAVE)), inOctave), "i32");
  const fraction = and(shr(m, 8), 0xffff);
  const entries = table.shape[0]!;
  const clamped = min(binary("max", segment, i32(0)), i32(entries / 2 - 1));
  const slope = table.at([add(clamped, i32(entries / 2))]);
  const bend = mul(shr(slope, 16), shr(mul(fraction, sub(u32(65536), fraction)), 16));
  const fall = shr(add(add(mul(and(slope, 0xffff), fraction), bend), u32(32768)), 16);
  return cast(sub(table.at([clamped]), fall), "i32");
}

/** A standard normal, conditioned on [−2, 2] when `truncated`. */
export function normalExpr(word: Expr, table: Source, truncated: boolean): Expr {
  const r = truncated ? add(mulHigh(u32(2 ** 31 - TWO_SIGMA), word), u32(TWO_SIGMA)) : shr(word, 1);
  const size = quantileExpr(r, table);
  const z = truncated ? min(size, constant(2 / NORMAL_UNIT, "i32")) : size;
  const signed = select(ne(and(word, 1), u32(0)), unary("neg", z), z);
  return mul(cast(signed, "f32"), f32(NORMAL_UNIT));
}
