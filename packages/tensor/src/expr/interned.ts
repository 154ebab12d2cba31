/** Nodes are interned: equal expressions are the same object. Leaves: constants and loop variables. */
import type { ScalarType } from "../dtype.js";
import type { Const, Expr, Index } from "./types.js";

let counter = 0;
/** A number that no other node has. */
export const freshId = (): number => counter++;

let table = new Map<string, Expr>();

/** Forgets interned nodes. Called when a program is begun, so that the table lives only as long as one build. */
export function resetExpressions(): void {
  table = new Map();
}

/** The node of a key, made where there is none yet. */
export function intern<E extends Expr>(key: string, make: (id: number) => E): E {
  const found = table.get(key);
  if (found) return found as E;
  const made = make(freshId());
  table.set(key, made);
  return made;
}

export function constant(value: number, type: ScalarType): Const {
  const v =
    type === "f32"
      ? Math.fround(value)
      : type === "bool"
        ? value
          ? 1
          : 0
        : type === "i32"
          ? value | 0
          : value >>> 0;
  return intern(`c${type}${Object.is(v, -0) ? "-0" : v}`, (id) => ({ id, kind: "const", type, value: v }));
}
export const f32 = (value: number): Const => constant(value, "f32");
export const i32 = (value: number): Const => constant(value, "i32");
export const u32 = (value: number): Const => constant(value, "u32");
export const bool = (value: boolean): Const => constant(value ? 1 : 0, "bool");

/** A fresh loop variable. Not interned: two loops of equal extent are different variables. */
export function index(extent: number): Index {
  return { id: freshId(), kind: "index", type: "i32", extent };
}
