/** Loads of map kernels: vectors where lanes are neighbours, gathers elsewhere. */
import type { DType } from "../../../dtype.js";
import { type Load, rangeOf, type Slot } from "../../../expr/expr.js";
import type { Code } from "../assembler/assembler.js";
import { op } from "../assembler/opcodes.js";
import type { Scope, Value } from "../assembler/scope.js";
import { type Addresses, shiftOf, type SlotInfo, type Values } from "./addresses.js";
import { laneStride } from "./analysis.js";

const scalarLoad = (dtype: DType): number =>
  dtype === "uint8" ? op.i32Load8U : dtype === "float32" ? op.f32Load : op.i32Load;

export class Loads {
  constructor(
    private readonly values: Values,
    private readonly addresses: Addresses,
  ) {}

  /** Loads in the scope where the index is known. Indices that may leave the slot are clamped, never followed. */
  load(e: Load, s: Scope, vectors: number): Value {
    const { func, deps, varying, lane } = this.values;
    const info = this.addresses.info(e.slot);
    const [lo, hi] = rangeOf(e.index);
    const safe = lo >= 0 && hi < info.numel;
    if (!vectors) {
      const at = func.local(info.dtype === "float32" ? "f32" : "i32");
      if (safe) s.code.get(this.addresses.address(e.slot, e.index, s));
      else this.clampedAddress(e.slot, this.addresses.firstIndex(e.index, s), info, s);
      s.code.memory(scalarLoad(info.dtype));
      if (info.dtype === "bool") s.code.i32(0).op(op.i32Ne);
      s.code.set(at);
      return { kind: "scalar", at };
    }
    const stride = laneStride(e.index, lane!, deps, varying);
    const out = func.many(vectors, "v128");
    if (stride === 1 && safe) this.neighbours(s.code, this.addresses.address(e.slot, e.index, s), info, out);
    else if (stride === 1 && info.numel >= 4 * vectors) {
      const first = this.addresses.firstIndex(e.index, s);
      const pointer = this.addresses.pointer(e.slot, s);
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
      const last = this.addresses.lowest(
        s,
        this.addresses.address(e.slot, e.index, s),
        4 * (1 - 4 * vectors),
      );
      this.neighbours(s.code, last, info, [...out].reverse());
      for (const at of out) s.code.get(at).get(at).shuffle32([3, 2, 1, 0]).set(at);
    } else if (stride !== undefined && stride !== 0 && safe) {
      const bytes = stride << shiftOf(info.dtype);
      const first = this.addresses.address(e.slot, e.index, s);
      // Offsets cannot be negative: those of falling addresses are counted from the last lane's.
      const back = bytes < 0 ? bytes * (4 * vectors - 1) : 0;
      const base = back ? this.addresses.lowest(s, first, back) : first;
      for (let lane = 0; lane < 4 * vectors; lane++)
        this.loadLane(s.code, (c) => c.get(base), lane * bytes - back, lane & 3, info, out[lane >> 2]!);
    } else {
      const index = this.values.value(e.index, s);
      if (index.kind !== "vector") throw new Error("internal: a varying index is not a vector");
      const pointer = this.addresses.pointer(e.slot, s);
      for (let u = 0; u < vectors; u++) this.gather(s.code, index.at[u]!, pointer, info, out[u]!, !safe);
    }
    if (info.dtype === "bool") for (const at of out) s.code.get(at).v128([0, 0, 0, 0]).op(op.i32x4Ne).set(at);
    return { kind: "vector", at: out };
  }

  private clampedAddress(slot: Slot, index: number, info: SlotInfo, s: Scope): void {
    const c = s.code;
    const pointer = this.addresses.pointer(slot, s);
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
}
