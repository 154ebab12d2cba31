/** Stores of map kernels: vectors where lanes are neighbours, lane by lane elsewhere. */
import { type Expr, rangeOf, type Slot } from "../../../expr/expr.js";
import type { Code } from "../assembler/assembler.js";
import { op } from "../assembler/opcodes.js";
import type { Scope, Value } from "../assembler/scope.js";
import { type Addresses, shiftOf, type SlotInfo, type Values } from "./addresses.js";
import { laneStride } from "./analysis.js";

export class Stores {
  constructor(
    private readonly values: Values,
    private readonly addresses: Addresses,
  ) {}

  /** Stores a value at `index`. Positions that are not provably inside the slot are tested, and dropped when outside. */
  store(slot: Slot, index: Expr, v: Value, s: Scope): void {
    const { func, deps, varying, lane } = this.values;
    const info = this.addresses.info(slot);
    const [lo, hi] = rangeOf(index);
    const safe = lo >= 0 && hi < info.numel;
    const c = s.code;
    const vectors = v.kind === "vector" ? v.at : undefined;
    if (!vectors) {
      if (safe) this.storeScalar(c, this.addresses.address(slot, index, s), info, v);
      else {
        const i = this.addresses.firstIndex(index, s);
        const at = func.local();
        const pointer = this.addresses.pointer(slot, s);
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
      const first = this.addresses.address(slot, index, s);
      const back = bytes < 0 ? bytes * (4 * vectors.length - 1) : 0;
      const base = back ? this.addresses.lowest(s, first, back) : first;
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
    const pointer = this.addresses.pointer(slot, s);
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
