/** Loops and sums of products of locals, as the hand-written kernels need them. */
import type { Code } from "./assembler.js";
import { op } from "./opcodes.js";

/** A number known when the kernel is written, or a local that holds one. */
export type Amount = number | { readonly local: number };

export const local = (at: number): { readonly local: number } => ({ local: at });

export function push(c: Code, a: Amount): Code {
  return typeof a === "number" ? c.i32(a) : c.get(a.local);
}

/** Pushes offset + Σ amount·factor. */
export function pushSum(c: Code, offset: number, ...terms: readonly (readonly [Amount, number])[]): Code {
  let known = offset;
  let pushed = false;
  for (const [a, k] of terms) {
    if (typeof a === "number") {
      known += a * k;
      continue;
    }
    if (k === 0) continue;
    c.get(a.local);
    if (k !== 1) c.i32(k).op(op.i32Mul);
    if (pushed) c.op(op.i32Add);
    pushed = true;
  }
  if (!pushed) return c.i32(known);
  return known ? c.i32(known).op(op.i32Add) : c;
}

/** `into` ← offset + Σ amount·factor. */
export function setSum(
  c: Code,
  into: number,
  offset: number,
  ...terms: readonly (readonly [Amount, number])[]
): Code {
  return pushSum(c, offset, ...terms).set(into);
}

/** for (i = from; i < to; i += step). Loops that are known to run not at all or once are not written as loops. */
export function forLoop(
  c: Code,
  i: number,
  from: Amount,
  to: Amount,
  step: number,
  body: (c: Code) => void,
): void {
  if (typeof from === "number" && typeof to === "number") {
    if (from >= to) return;
    if (from + step >= to) {
      body(c.i32(from).set(i));
      return;
    }
  }
  push(c, from).set(i);
  const loop = (code: Code): void => {
    code.loop((l) => {
      body(l);
      push(l.get(i).i32(step).op(op.i32Add).tee(i), to).op(op.i32LtS).brIf(0);
    });
  };
  if (typeof from === "number" && typeof to === "number") loop(c);
  else {
    push(c.get(i), to).op(op.i32LtS);
    c.if(loop);
  }
}

/** `into` ← min(a, b). */
export function setMin(c: Code, into: number, a: Amount, b: Amount): Code {
  return push(push(push(push(c, a), b), a), b)
    .op(op.i32LtS, op.select)
    .set(into);
}
