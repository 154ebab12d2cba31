/** Rewrites of floating-point and boolean operations. */
import { f32 } from "./interned.js";
import type { BinaryFn, Expr } from "./types.js";

/** Only rewrites that are exact for every f32 value, NaN, infinities and −0 included. */
export function simplifyFloat(fn: BinaryFn, a: Expr, b: Expr): Expr | undefined {
  if (a.kind === "const" && b.kind === "const") {
    switch (fn) {
      case "add":
        return f32(a.value + b.value);
      case "sub":
        return f32(a.value - b.value);
      case "mul":
        return f32(a.value * b.value);
      case "div":
        return f32(a.value / b.value);
      default:
        return undefined;
    }
  }
  if (fn === "mul" && b.kind === "const" && b.value === 1) return a;
  if (fn === "mul" && a.kind === "const" && a.value === 1) return b;
  if (fn === "div" && b.kind === "const" && b.value === 1) return a;
  return undefined;
}

/** Conjunctions and disjunctions with a constant. */
export function simplifyBool(fn: BinaryFn, a: Expr, b: Expr): Expr | undefined {
  if (a.type !== "bool") return undefined;
  for (const [x, y] of [
    [a, b],
    [b, a],
  ] as const) {
    if (x.kind !== "const") continue;
    if (fn === "and") return x.value ? y : x;
    if (fn === "or") return x.value ? x : y;
  }
  return undefined;
}
