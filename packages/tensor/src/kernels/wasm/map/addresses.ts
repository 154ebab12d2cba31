/** Addresses of map kernels, hoisted loop by loop. */
import type { DType } from "../../../dtype.js";
import { affineParts, type Expr, type Index, type Slot } from "../../../expr/expr.js";
import type { Code, Func } from "../assembler/assembler.js";
import { op } from "../assembler/opcodes.js";
import type { Scope, Value } from "../assembler/scope.js";
import { ARGS } from "../kernel.js";
import type { Dependencies } from "./analysis.js";

export interface SlotInfo {
  /** Position in the table of addresses. */
  readonly binding: number;
  readonly dtype: DType;
  readonly numel: number;
}

/** The part of the expression writer that memory accesses need. */
export interface Values {
  readonly func: Func;
  readonly deps: Dependencies;
  readonly varying: bigint;
  readonly lane: Index | undefined;
  value(e: Expr, s: Scope): Value;
  scalar(e: Expr, s: Scope): Value;
  pushScalar(c: Code, v: Value, type?: "f32" | "i32"): void;
}

export const shiftOf = (dtype: DType): number => (dtype === "uint8" ? 0 : 2);

export class Addresses {
  constructor(
    private readonly values: Values,
    private readonly slots: ReadonlyMap<number, SlotInfo>,
  ) {}

  info(slot: Slot): SlotInfo {
    const info = this.slots.get(slot.id);
    if (!info) throw new Error(`internal: kernel uses slot ${slot.id}, which is not bound`);
    return info;
  }

  /** A local holding the address of the first element of a slot. */
  pointer(slot: Slot, s: Scope): number {
    const root = s.home(0n);
    const key = `p${slot.id}`;
    const known = root.memo.get(key);
    if (known?.kind === "scalar") return known.at;
    const at = this.values.func.local();
    root.code
      .get(ARGS)
      .memory(op.i32Load, 4 * this.info(slot).binding)
      .set(at);
    root.memo.set(key, { kind: "scalar", at });
    return at;
  }

  /**
   * A local holding the address of element `index` (of the first lane): a chain of partial sums, each computed at the
   * loop level where its term becomes known.
   */
  address(slot: Slot, index: Expr, s: Scope): number {
    const { deps, func, lane } = this.values;
    const parts = affineParts(index);
    const bytes = 1 << shiftOf(this.info(slot).dtype);
    let at = this.pointer(slot, s);
    let key = `p${slot.id}`;
    let level = s.home(0n);
    const step = (name: string, home: Scope, emit: (c: Code) => void): void => {
      key += name;
      if (home.depth > level.depth) level = home;
      const known = level.memo.get(key);
      if (known?.kind === "scalar") {
        at = known.at;
        return;
      }
      const next = func.local();
      level.code.get(at);
      emit(level.code);
      level.code.op(op.i32Add).set(next);
      level.memo.set(key, { kind: "scalar", at: next });
      at = next;
    };
    if (parts.offset) step(`+${parts.offset}`, level, (c) => c.i32(parts.offset * bytes));
    const terms = parts.terms.map(([t, c]) => ({ t, c, home: s.home(deps.of(t)) }));
    terms.sort((x, y) => x.home.depth - y.home.depth || x.t.id - y.t.id);
    for (const { t, c, home } of terms) {
      const v =
        t === lane && home.lane !== undefined
          ? { kind: "scalar" as const, at: home.lane }
          : this.values.scalar(t, home);
      step(`+${c}*${t.id}`, home, (code) => {
        this.values.pushScalar(code, v);
        if (c * bytes !== 1) code.i32(c * bytes).op(op.i32Mul);
      });
    }
    return at;
  }

  /** The scalar value of an index for the first lane. */
  firstIndex(index: Expr, s: Scope): number {
    const { deps, func, lane } = this.values;
    const key = `first${index.id}`;
    const home = s.home(deps.of(index));
    const known = home.memo.get(key);
    if (known?.kind === "scalar") return known.at;
    const parts = affineParts(index);
    const values = parts.terms.map(([t, c]) => {
      const v =
        t === lane && home.lane !== undefined
          ? { kind: "scalar" as const, at: home.lane }
          : this.values.scalar(t, home);
      return { v, c };
    });
    const at = func.local();
    home.code.i32(parts.offset);
    for (const { v, c } of values) {
      this.values.pushScalar(home.code, v);
      home.code.i32(c).op(op.i32Mul, op.i32Add);
    }
    home.code.set(at);
    home.memo.set(key, { kind: "scalar", at });
    return at;
  }

  /** An address further down by `back`, which is negative. */
  lowest(s: Scope, address: number, back: number): number {
    const at = this.values.func.local();
    s.code.get(address).i32(back).op(op.i32Add).set(at);
    return at;
  }
}
