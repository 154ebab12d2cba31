/** Loads and stores of map kernels: addresses hoisted loop by loop, vectors where lanes are neighbours, gathers elsewhere. */
import type { DType } from "../../../dtype.js";
import { affineParts, rangeOf, type Expr, type Index, type Load, type Slot } from "../../../expr/expr.js";
import { laneStride, type Dependencies } from "./analysis.js";
import type { Code, Func } from "../assembler/assembler.js";
import { ARGS } from "../kernel.js";
import { op } from "../assembler/opcodes.js";
import type { Scope, Value } from "../assembler/scope.js";

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

const shiftOf = (dtype: DType): number => (dtype === "uint8" ? 0 : 2);
const scalarLoad = (dtype: DType): number =>
  dtype === "uint8" ? op.i32Load8U : dtype === "float32" ? op.f32Load : op.i32Load;

export class MemoryWriter {
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
  private pointer(slot: Slot, s: Scope): number {
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
  private address(slot: Slot, index: Expr, s: Scope): number {
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
  private firstIndex(index: Expr, s: Scope): number {
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

  /** Loads in the scope where the index is known. Indices that may leave the slot are clamped, never followed. */
  load(e: Load, s: Scope, vectors: number): Value {
    const { func, deps, varying, lane } = this.values;
    const info = this.info(e.slot);
    const [lo, hi] = rangeOf(e.index);
    const safe = lo >= 0 && hi < info.numel;
    if (!vectors) {
      const at = func.local(info.dtype === "float32" ? "f32" : "i32");
      if (safe) s.code.get(this.address(e.slot, e.index, s));
      else this.clampedAddress(e.slot, this.firstIndex(e.index, s), info, s);
      s.code.memory(scalarLoad(info.dtype));
      if (info.dtype === "bool") s.code.i32(0).op(op.i32Ne);
      s.code.set(at);
      return { kind: "scalar", at };
    }
    const stride = laneStride(e.index, lane!, deps, varying);
    const out = func.many(vectors, "v128");
    if (stride === 1 && safe) this.neighbours(s.code, this.address(e.slot, e.index, s), info, out);
    else if (stride === 1 && info.numel >= 4 * vectors) {
      const first = this.firstIndex(e.index, s);
      const pointer = this.pointer(e.slot, s);
      // Inside the slot for all lanes, which is the usual case; at the edges lane by lane.
      s.code
        .get(first)
        .i32(info.numel - 4 * vectors)
        .op(op.i32LeU);
      s.code.if(
        (c) => {
          const at = func.local();
          c.get(pointer).get(first);
          if (shiftOf(info.dtype)) c.i32(2).op(op.i32Shl);
          c.op(op.i32Add).set(at);
          this.neighbours(c, at, info, out);
        },
        (c) => {
          const lanes = func.local("v128");
          for (let u = 0; u < vectors; u++) {
            c.get(first)
              .op(op.i32x4Splat)
              .v128([4 * u, 4 * u + 1, 4 * u + 2, 4 * u + 3])
              .op(op.i32x4Add)
              .set(lanes);
            this.gather(c, lanes, pointer, info, out[u]!, true);
          }
        },
      );
    } else if (stride === -1 && safe && info.dtype !== "uint8") {
      // Backwards: whole vectors, turned round.
      const last = this.lowest(s, this.address(e.slot, e.index, s), 4 * (1 - 4 * vectors));
      this.neighbours(s.code, last, info, [...out].reverse());
      for (const at of out) s.code.get(at).get(at).shuffle32([3, 2, 1, 0]).set(at);
    } else if (stride !== undefined && stride !== 0 && safe) {
      const bytes = stride << shiftOf(info.dtype);
      const first = this.address(e.slot, e.index, s);
      // Offsets cannot be negative: those of falling addresses are counted from the last lane's.
      const back = bytes < 0 ? bytes * (4 * vectors - 1) : 0;
      const base = back ? this.lowest(s, first, back) : first;
      for (let lane = 0; lane < 4 * vectors; lane++)
        this.loadLane(s.code, (c) => c.get(base), lane * bytes - back, lane & 3, info, out[lane >> 2]!);
    } else {
      const index = this.values.value(e.index, s);
      if (index.kind !== "vector") throw new Error("internal: a varying index is not a vector");
      const pointer = this.pointer(e.slot, s);
      for (let u = 0; u < vectors; u++) this.gather(s.code, index.at[u]!, pointer, info, out[u]!, !safe);
    }
    if (info.dtype === "bool") for (const at of out) s.code.get(at).v128([0, 0, 0, 0]).op(op.i32x4Ne).set(at);
    return { kind: "vector", at: out };
  }

  private clampedAddress(slot: Slot, index: number, info: SlotInfo, s: Scope): void {
    const c = s.code;
    const pointer = this.pointer(slot, s);
    const at = this.values.func.local();
    // max(min(i, n − 1), 0)
    c.get(index)
      .i32(info.numel - 1)
      .get(index)
      .i32(info.numel - 1)
      .op(op.i32LtS, op.select)
      .set(at);
    c.get(at).i32(0).get(at).i32(0).op(op.i32GtS, op.select);
    if (shiftOf(info.dtype)) c.i32(2).op(op.i32Shl);
    c.get(pointer).op(op.i32Add);
  }

  private neighbours(c: Code, address: number, info: SlotInfo, out: readonly number[]): void {
    out.forEach((at, u) => {
      c.get(address);
      if (info.dtype === "uint8")
        c.memory(op.v128Load32Zero, 4 * u).op(op.i16x8ExtendLowI8x16U, op.i32x4ExtendLowI16x8U);
      else c.memory(op.v128Load, 16 * u);
      c.set(at);
    });
  }

  private lowest(s: Scope, address: number, back: number): number {
    const at = this.values.func.local();
    s.code.get(address).i32(back).op(op.i32Add).set(at);
    return at;
  }

  private gather(c: Code, index: number, pointer: number, info: SlotInfo, out: number, clamp: boolean): void {
    const at = this.values.func.local("v128");
    c.get(index);
    if (clamp) {
      const last = info.numel - 1;
      c.v128([last, last, last, last]).op(op.i32x4MinS).v128([0, 0, 0, 0]).op(op.i32x4MaxS);
    }
    if (shiftOf(info.dtype)) c.i32(2).op(op.i32x4Shl);
    c.get(pointer).op(op.i32x4Splat, op.i32x4Add).set(at);
    for (let lane = 0; lane < 4; lane++)
      this.loadLane(c, (code) => code.get(at).lane(op.i32x4ExtractLane, lane), 0, lane, info, out);
  }

  private loadLane(
    c: Code,
    address: (c: Code) => void,
    offset: number,
    lane: number,
    info: SlotInfo,
    out: number,
  ): void {
    address(c);
    if (info.dtype === "uint8") {
      c.memory(op.i32Load8U, offset);
      if (lane === 0) c.op(op.i32x4Splat).set(out);
      else {
        const byte = this.values.func.local();
        c.set(byte).get(out).get(byte).lane(op.i32x4ReplaceLane, lane).set(out);
      }
    } else if (lane === 0) c.memory(op.v128Load32Zero, offset).set(out);
    else c.get(out).memoryLane(op.v128Load32Lane, lane, offset).set(out);
  }

  /** Stores a value at `index`. Positions that are not provably inside the slot are tested, and dropped when outside. */
  store(slot: Slot, index: Expr, v: Value, s: Scope): void {
    const { func, deps, varying, lane } = this.values;
    const info = this.info(slot);
    const [lo, hi] = rangeOf(index);
    const safe = lo >= 0 && hi < info.numel;
    const c = s.code;
    const vectors = v.kind === "vector" ? v.at : undefined;
    if (!vectors) {
      if (safe) this.storeScalar(c, this.address(slot, index, s), info, v);
      else {
        const i = this.firstIndex(index, s);
        const at = func.local();
        const pointer = this.pointer(slot, s);
        c.get(i).i32(info.numel).op(op.i32LtU);
        c.if((inner) => {
          inner.get(pointer).get(i);
          if (shiftOf(info.dtype)) inner.i32(2).op(op.i32Shl);
          inner.op(op.i32Add).set(at);
          this.storeScalar(inner, at, info, v);
        });
      }
      return;
    }
    const stride = laneStride(index, lane!, deps, varying);
    if (stride !== undefined && stride !== 0 && safe) {
      const bytes = stride << shiftOf(info.dtype);
      const first = this.address(slot, index, s);
      const back = bytes < 0 ? bytes * (4 * vectors.length - 1) : 0;
      const base = back ? this.lowest(s, first, back) : first;
      vectors.forEach((value, u) => {
        if (stride !== 1) {
          for (let l = 0; l < 4; l++)
            this.storeLane(c, (code) => code.get(base), (4 * u + l) * bytes - back, value, l, info);
        } else if (info.dtype === "uint8") {
          c.get(base).get(value).get(value);
          c.shuffle8([0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).memoryLane(
            op.v128Store32Lane,
            0,
            4 * u,
          );
        } else
          c.get(base)
            .get(value)
            .memory(op.v128Store, 16 * u);
      });
      return;
    }
    const at = this.values.value(index, s);
    const pointer = this.pointer(slot, s);
    const element = func.local();
    const address = func.local();
    vectors.forEach((value, u) => {
      for (let l = 0; l < 4; l++) {
        if (at.kind !== "vector") throw new Error("internal: lanes are stored at one place");
        c.get(at.at[u]!).lane(op.i32x4ExtractLane, l).tee(element).i32(info.numel).op(op.i32LtU);
        c.if((inner) => {
          inner.get(pointer).get(element);
          if (shiftOf(info.dtype)) inner.i32(2).op(op.i32Shl);
          inner.op(op.i32Add).set(address);
          this.storeLane(inner, (code) => code.get(address), 0, value, l, info);
        });
      }
    });
  }

  private storeScalar(c: Code, address: number, info: SlotInfo, v: Value): void {
    c.get(address);
    this.values.pushScalar(c, v, info.dtype === "float32" ? "f32" : "i32");
    c.memory(info.dtype === "uint8" ? op.i32Store8 : info.dtype === "float32" ? op.f32Store : op.i32Store);
  }

  private storeLane(
    c: Code,
    address: (c: Code) => void,
    offset: number,
    value: number,
    lane: number,
    info: SlotInfo,
  ): void {
    address(c);
    c.get(value);
    if (info.dtype === "uint8") c.lane(op.i32x4ExtractLane, lane).memory(op.i32Store8, offset);
    else c.memoryLane(op.v128Store32Lane, lane, offset);
  }
}
