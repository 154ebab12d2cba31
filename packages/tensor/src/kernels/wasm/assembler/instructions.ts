/**
 * Which instruction computes which primitive, one value at a time and four lanes at a time. Scalar and vector forms
 * are chosen to agree bit for bit: an element's value never depends on whether it fell into a vector or a tail.
 * Booleans are 0/1 as scalars and 0/−1 masks as lanes.
 */
import type { ScalarType } from "../../../dtype.js";
import type { BinaryFn, UnaryFn } from "../../../expr/expr.js";
import type { Code } from "./assembler.js";
import { op } from "./opcodes.js";

type Table = Readonly<Partial<Record<string, number>>>;

const scalarF32: Table = {
  add: op.f32Add,
  sub: op.f32Sub,
  mul: op.f32Mul,
  div: op.f32Div,
  lt: op.f32Lt,
  le: op.f32Le,
  gt: op.f32Gt,
  ge: op.f32Ge,
  eq: op.f32Eq,
  ne: op.f32Ne,
};
const scalarI32: Table = {
  add: op.i32Add,
  sub: op.i32Sub,
  mul: op.i32Mul,
  and: op.i32And,
  or: op.i32Or,
  xor: op.i32Xor,
  shl: op.i32Shl,
  shr: op.i32ShrS,
  lt: op.i32LtS,
  le: op.i32LeS,
  gt: op.i32GtS,
  ge: op.i32GeS,
  eq: op.i32Eq,
  ne: op.i32Ne,
};
const scalarU32: Table = {
  ...scalarI32,
  shr: op.i32ShrU,
  lt: op.i32LtU,
  le: op.i32LeU,
  gt: op.i32GtU,
  ge: op.i32GeU,
};
/** Opcode of a binary primitive on two scalars; undefined where it takes more than one instruction. */
export function scalarBinary(fn: BinaryFn, type: ScalarType): number | undefined {
  return (type === "f32" ? scalarF32 : type === "i32" ? scalarI32 : scalarU32)[fn];
}

const vectorF32: Table = {
  add: op.f32x4Add,
  sub: op.f32x4Sub,
  mul: op.f32x4Mul,
  div: op.f32x4Div,
  min: op.f32x4Pmin,
  max: op.f32x4Pmax,
  lt: op.f32x4Lt,
  le: op.f32x4Le,
  gt: op.f32x4Gt,
  ge: op.f32x4Ge,
  eq: op.f32x4Eq,
  ne: op.f32x4Ne,
};
const vectorI32: Table = {
  add: op.i32x4Add,
  sub: op.i32x4Sub,
  mul: op.i32x4Mul,
  and: op.v128And,
  or: op.v128Or,
  xor: op.v128Xor,
  min: op.i32x4MinS,
  max: op.i32x4MaxS,
  lt: op.i32x4LtS,
  le: op.i32x4LeS,
  gt: op.i32x4GtS,
  ge: op.i32x4GeS,
  eq: op.i32x4Eq,
  ne: op.i32x4Ne,
};
const vectorU32: Table = {
  ...vectorI32,
  min: op.i32x4MinU,
  max: op.i32x4MaxU,
  lt: op.i32x4LtU,
  le: op.i32x4LeU,
  gt: op.i32x4GtU,
  ge: op.i32x4GeU,
};
const vectorBool: Table = { and: op.v128And, or: op.v128Or, xor: op.v128Xor, ne: op.v128Xor, eq: op.i32x4Eq };
/** Opcode of a binary primitive on two vectors of lanes; undefined where it takes more than one instruction. */
export function vectorBinary(fn: BinaryFn, type: ScalarType): number | undefined {
  return (type === "f32" ? vectorF32 : type === "i32" ? vectorI32 : type === "u32" ? vectorU32 : vectorBool)[
    fn
  ];
}

const floatUnary: Partial<Record<UnaryFn, readonly [scalar: number, vector: number]>> = {
  neg: [op.f32Neg, op.f32x4Neg],
  abs: [op.f32Abs, op.f32x4Abs],
  floor: [op.f32Floor, op.f32x4Floor],
  ceil: [op.f32Ceil, op.f32x4Ceil],
  round: [op.f32Nearest, op.f32x4Nearest],
  trunc: [op.f32Trunc, op.f32x4Trunc],
  sqrt: [op.f32Sqrt, op.f32x4Sqrt],
};

/** Emits a unary primitive on a value held in a local. */
export function emitUnary(c: Code, fn: UnaryFn, type: ScalarType, x: number, vector: boolean): void {
  const float = floatUnary[fn];
  if (type === "f32" && float) {
    c.get(x).op(vector ? float[1] : float[0]);
    return;
  }
  switch (fn) {
    case "not":
    case "bitNot":
      c.get(x);
      if (vector) c.op(op.v128Not);
      else if (type === "bool") c.op(op.i32Eqz);
      else c.i32(-1).op(op.i32Xor);
      return;
    case "neg":
      if (vector) c.get(x).op(op.i32x4Neg);
      else c.i32(0).get(x).op(op.i32Sub);
      return;
    case "abs":
      if (type === "u32") c.get(x);
      else if (vector) c.get(x).op(op.i32x4Abs);
      else c.get(x).i32(0).get(x).op(op.i32Sub).get(x).i32(0).op(op.i32GeS, op.select);
      return;
    default:
      // Rounding an integer leaves it.
      c.get(x);
  }
}

/** Emits a value conversion of a value held in a local. */
export function emitCast(c: Code, from: ScalarType, to: ScalarType, x: number, vector: boolean): void {
  c.get(x);
  if (to === "bool") {
    if (from === "f32" && vector) c.v128([0, 0, 0, 0]).op(op.f32x4Ne);
    else if (from === "f32") c.f32(0).op(op.f32Ne);
    else if (vector) c.v128([0, 0, 0, 0]).op(op.i32x4Ne);
    else c.i32(0).op(op.i32Ne);
  } else if (from === "bool") {
    if (vector) {
      const one = to === "f32" ? 0x3f800000 : 1;
      c.v128([one, one, one, one]).op(op.v128And);
    } else if (to === "f32") c.op(op.f32ConvertI32S);
  } else if (to === "f32") {
    if (vector) c.op(from === "i32" ? op.f32x4ConvertI32x4S : op.f32x4ConvertI32x4U);
    else c.op(from === "i32" ? op.f32ConvertI32S : op.f32ConvertI32U);
  } else if (from === "f32") {
    if (vector) c.op(to === "i32" ? op.i32x4TruncSatF32x4S : op.i32x4TruncSatF32x4U);
    else c.op(to === "i32" ? op.i32TruncSatF32S : op.i32TruncSatF32U);
  }
}

/** Minimum or maximum of two scalars in locals. The floating form is `pmin`/`pmax`, as in the vectors. */
export function emitScalarMinMax(c: Code, fn: "min" | "max", type: ScalarType, a: number, b: number): void {
  const less = type === "f32" ? op.f32Lt : type === "i32" ? op.i32LtS : op.i32LtU;
  // pmin(a, b) = b < a ? b : a; pmax(a, b) = a < b ? b : a.
  c.get(b).get(a);
  if (fn === "min") c.get(b).get(a);
  else c.get(a).get(b);
  c.op(less, op.select);
}

/**
 * Quotient or remainder of integers in locals, rounding towards zero. As in WGSL x / 0 = x and x % 0 = 0, and
 * −2³¹ / −1 wraps; the machine instruction would trap on these, so unknown divisors are guarded.
 */
export function emitScalarDivide(
  c: Code,
  fn: "idiv" | "imod",
  type: ScalarType,
  a: number,
  b: number,
  divisor?: number,
): void {
  const push = (): void => {
    if (divisor !== undefined && divisor !== 0) c.i32(divisor);
    else c.get(b).i32(1).get(b).op(op.select);
  };
  c.get(a);
  if (type !== "i32") {
    push();
    c.op(fn === "idiv" ? op.i32DivU : op.i32RemU);
  } else if (divisor !== undefined && divisor > 0) {
    push();
    c.op(fn === "idiv" ? op.i32DivS : op.i32RemS);
  } else {
    c.op(op.i64ExtendI32S);
    push();
    c.op(op.i64ExtendI32S, fn === "idiv" ? op.i64DivS : op.i64RemS, op.i32WrapI64);
  }
}

/**
 * Quotients of lanes in 0 … 2³¹ − 1 by a constant d ≥ 1, as a multiplication: with l = ⌈log₂ d⌉ and m = ⌈2^(31+l) / d⌉ < 2³²,
 * ⌊x / d⌋ = ⌊x·m / 2^(31+l)⌋ for all x < 2³¹ (Granlund and Montgomery 1994, theorem 4.2).
 */
export function emitVectorDivide(c: Code, x: number, d: number): void {
  if ((d & (d - 1)) === 0) {
    c.get(x).i32(Math.log2(d)).op(op.i32x4ShrU);
    return;
  }
  const l = Math.ceil(Math.log2(d));
  const m = Number((2n ** BigInt(31 + l) + BigInt(d) - 1n) / BigInt(d));
  for (const half of [op.i64x2ExtmulLowI32x4U, op.i64x2ExtmulHighI32x4U])
    c.get(x)
      .v128([m, m, m, m])
      .op(half)
      .i32(31 + l)
      .op(op.i64x2ShrU);
  c.shuffle32([0, 2, 4, 6]);
}
