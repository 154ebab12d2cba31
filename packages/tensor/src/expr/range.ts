/** What is known of i32 expressions: their bounds, and their terms. */
import type { Expr } from "./types.js";

/** Inclusive bounds of an i32 expression; ±2³¹ where nothing is known. */
export function rangeOf(e: Expr): [number, number] {
  switch (e.kind) {
    case "const":
      return [e.value, e.value];
    case "index":
      return [0, Math.max(0, e.extent - 1)];
    case "affine": {
      let lo = e.offset;
      let hi = e.offset;
      for (const [t, c] of e.terms) {
        const [a, b] = rangeOf(t);
        lo += c > 0 ? c * a : c * b;
        hi += c > 0 ? c * b : c * a;
      }
      return [lo, hi];
    }
    case "binary": {
      const [al, ah] = rangeOf(e.a);
      const [bl, bh] = rangeOf(e.b);
      if (e.fn === "idiv" && e.b.kind === "const" && al >= 0)
        return [Math.floor(al / bl), Math.floor(ah / bl)];
      if (e.fn === "imod" && e.b.kind === "const" && al >= 0) return [0, Math.min(ah, bl - 1)];
      if (e.fn === "min") return [Math.min(al, bl), Math.min(ah, bh)];
      if (e.fn === "max") return [Math.max(al, bl), Math.max(ah, bh)];
      return [-2147483648, 2147483647];
    }
    case "select": {
      const [al, ah] = rangeOf(e.a);
      const [bl, bh] = rangeOf(e.b);
      return [Math.min(al, bl), Math.max(ah, bh)];
    }
    case "cast":
      return e.x.type === "bool" ? [0, 1] : [-2147483648, 2147483647];
    default:
      return [-2147483648, 2147483647];
  }
}

/** Terms and offset of any i32 expression. */
export function affineParts(e: Expr): { terms: readonly (readonly [Expr, number])[]; offset: number } {
  if (e.kind === "affine") return e;
  if (e.kind === "const") return { terms: [], offset: e.value };
  return { terms: [[e, 1]], offset: 0 };
}
