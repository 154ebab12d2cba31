/** Node types of the expression language; expr.ts has their constructors. */
import type { DType, ScalarType } from "../dtype.js";

/** Something that kernels load from: a logical buffer of the program being built. */
export interface Slot {
  readonly id: number;
  readonly dtype: DType;
}

export type UnaryFn = "neg" | "abs" | "floor" | "ceil" | "round" | "trunc" | "sqrt" | "not" | "bitNot";
/** `div` is for f32; `idiv` and `imod` are for integers and round towards zero, as in WGSL. */
export type BinaryFn =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "idiv"
  | "imod"
  | "min"
  | "max"
  | "and"
  | "or"
  | "xor"
  | "shl"
  | "shr"
  | "lt"
  | "le"
  | "gt"
  | "ge"
  | "eq"
  | "ne";

interface Base {
  /** Unique; equal expressions share it. */
  readonly id: number;
  readonly type: ScalarType;
}
export interface Const extends Base {
  readonly kind: "const";
  readonly value: number;
}
/** A loop variable 0 … extent − 1: an axis of the kernel's iteration space, or the counter of a fold. */
export interface Index extends Base {
  readonly kind: "index";
  readonly extent: number;
}
/** Σ coefficient·term + offset, in i32; terms are not affine themselves. */
export interface Affine extends Base {
  readonly kind: "affine";
  readonly terms: readonly (readonly [Expr, number])[];
  readonly offset: number;
}
export interface Load extends Base {
  readonly kind: "load";
  readonly slot: Slot;
  readonly index: Expr;
}
export interface Unary extends Base {
  readonly kind: "unary";
  readonly fn: UnaryFn;
  readonly x: Expr;
}
export interface Binary extends Base {
  readonly kind: "binary";
  readonly fn: BinaryFn;
  readonly a: Expr;
  readonly b: Expr;
}
export interface Select extends Base {
  readonly kind: "select";
  readonly cond: Expr;
  readonly a: Expr;
  readonly b: Expr;
}
/** Value conversion; f32 → integer truncates towards zero, anything → bool is `≠ 0`. */
export interface Cast extends Base {
  readonly kind: "cast";
  readonly x: Expr;
}
export interface Bitcast extends Base {
  readonly kind: "bitcast";
  readonly x: Expr;
}
/** State variable `k` of an enclosing fold, seen from inside its body. */
export interface State extends Base {
  readonly kind: "state";
  readonly fold: Fold;
  readonly k: number;
}
/** Final value of state variable `k`. */
export interface FoldResult extends Base {
  readonly kind: "foldResult";
  readonly fold: Fold;
  readonly k: number;
}
export type Expr =
  | Const
  | Index
  | Affine
  | Load
  | Unary
  | Binary
  | Select
  | Cast
  | Bitcast
  | State
  | FoldResult;

/** A sequential loop with a tuple of state variables: sum, arg-max, Welford, log-sum-exp are all folds. */
export interface Fold {
  readonly id: number;
  readonly index: Index;
  readonly init: readonly Expr[];
  readonly states: readonly State[];
  next: readonly Expr[];
}
