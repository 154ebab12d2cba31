/** 32-bit words: halves and the upper half of a product, which no shader language has. */
import { add, binary, type Expr, mul, u32 } from "./expr.js";

export const masked = (word: Expr, mask: number): Expr => binary("and", word, u32(mask));
export const shr = (word: Expr, bits: number): Expr => binary("shr", word, u32(bits));
export const shl = (word: Expr, bits: number): Expr => binary("shl", word, u32(bits));

const halves = (word: Expr): [low: Expr, high: Expr] =>
  word.kind === "const"
    ? [u32(word.value & 0xffff), u32(word.value >>> 16)]
    : [masked(word, 0xffff), shr(word, 16)];

/** High 32 bits of a product of u32, by 16-bit halves: the middle sum stays below 2³². */
export function mulHigh(a: Expr, b: Expr): Expr {
  const [[al, ah], [bl, bh]] = [halves(a), halves(b)];
  const cross = mul(al, bh);
  const middle = add(add(shr(mul(al, bl), 16), masked(cross, 0xffff)), mul(ah, bl));
  return add(add(mul(ah, bh), shr(cross, 16)), shr(middle, 16));
}
