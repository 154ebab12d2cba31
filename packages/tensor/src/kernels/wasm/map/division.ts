/** Integer division of vectors, which wasm has no instruction for. */
import { type Binary, rangeOf } from "../../../expr/expr.js";
import type { Code, Func } from "../assembler/assembler.js";
import * as emit from "../assembler/instructions.js";
import { op } from "../assembler/opcodes.js";

/** A lane at a time, for what vectors cannot do. */
export function byLane(
  func: Func,
  c: Code,
  out: number,
  x: number,
  y: number,
  emitOne: (p: number, q: number) => void,
): void {
  const [p, q, r] = [func.local(), func.local(), func.local()];
  c.v128([0, 0, 0, 0]).set(out);
  for (let lane = 0; lane < 4; lane++) {
    c.get(x).lane(op.i32x4ExtractLane, lane).set(p).get(y).lane(op.i32x4ExtractLane, lane).set(q);
    emitOne(p, q);
    c.set(r).get(out).get(r).lane(op.i32x4ReplaceLane, lane).set(out);
  }
}

/** `out` ← x / y (or the remainder) of vectors of integers. A constant divisor and a numerator that is not negative take multiplications. */
export function divideVector(
  func: Func,
  c: Code,
  e: Binary,
  out: number,
  x: number,
  y: number,
  divisor: number | undefined,
): void {
  const type = e.a.type;
  const powerOfTwo = divisor !== undefined && divisor > 0 && (divisor & (divisor - 1)) === 0;
  const positive = type === "i32" ? rangeOf(e.a)[0] >= 0 : powerOfTwo;
  if (divisor === undefined || divisor <= 0 || !positive) {
    byLane(func, c, out, x, y, (p, q) =>
      emit.emitScalarDivide(c, e.fn as "idiv" | "imod", type, p, q, divisor),
    );
    return;
  }
  if (e.fn === "imod" && powerOfTwo) {
    const mask = divisor - 1;
    c.get(x).v128([mask, mask, mask, mask]).op(op.v128And).set(out);
    return;
  }
  if (e.fn === "imod") c.get(x);
  emit.emitVectorDivide(c, x, divisor);
  if (e.fn === "imod") c.v128([divisor, divisor, divisor, divisor]).op(op.i32x4Mul, op.i32x4Sub);
  c.set(out);
}
