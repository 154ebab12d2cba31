/**
 * out[row[j]] += updates[order[j]] for j in ascending order; `row` is sorted, so the updates of an output row stand
 * side by side. A unit is a block of update rows: it adds those runs of equal rows that begin inside the block, to
 * their end. Every output row belongs to exactly one unit and is summed in order of j, whatever the split.
 */
import { encodeModule, Func, type Code } from "./assembler/assembler.js";
import { ARGS, END, runParams, START, type CompiledWasm, type WasmOptions } from "./kernel.js";
import { op } from "./assembler/opcodes.js";
import type { ScatterAddParams } from "../../families/scatter-add.js";
import type { Binding } from "../../program.js";

export function compileScatterAdd(
  p: ScatterAddParams,
  _: readonly Binding[],
  options: WasmOptions,
): CompiledWasm {
  const { rows, inner, count } = p;
  const block = Math.max(1, Math.ceil(4096 / Math.max(1, inner)));
  const units = count && inner && rows ? Math.ceil(count / block) : 0;
  const f = new Func(runParams);
  const c = f.code;
  const [rowAt, orderAt, updatesAt, outAt] = [f.local(), f.local(), f.local(), f.local()];
  [rowAt, orderAt, updatesAt, outAt].forEach((at, k) =>
    c
      .get(ARGS)
      .memory(op.i32Load, 4 * k)
      .set(at),
  );
  const { j, last, row, from, to, e } = f.named("j", "last", "row", "from", "to", "e");
  /** Pushes row[j + offset]. */
  const rowOf = (code: Code, offset = 0): Code => {
    code.get(j);
    if (offset) code.i32(offset).op(op.i32Add);
    return code.i32(2).op(op.i32Shl).get(rowAt).op(op.i32Add).memory(op.i32Load);
  };

  c.get(START).i32(block).op(op.i32Mul).set(j);
  c.get(END).i32(block).op(op.i32Mul).set(last);
  c.get(last).i32(count).get(last).i32(count).op(op.i32LtS, op.select).set(last);
  c.block((done) => {
    // A run that began in an earlier block is finished there: skip it.
    done.loop((skip) => {
      skip.get(j).get(last).op(op.i32GeS).brIf(1);
      skip
        .get(j)
        .i32(0)
        .op(op.i32GtS)
        .if((inside) => {
          rowOf(inside);
          rowOf(inside, -1)
            .op(op.i32Eq)
            .if((equal) => equal.get(j).i32(1).op(op.i32Add).set(j).br(2));
        });
    });
    done.loop((next) => {
      rowOf(next).set(row);
      next
        .get(row)
        .i32(rows)
        .op(op.i32LtU)
        .if((inside) => {
          inside
            .get(outAt)
            .get(row)
            .i32(4 * inner)
            .op(op.i32Mul, op.i32Add)
            .set(to);
          inside.get(j).i32(2).op(op.i32Shl).get(orderAt).op(op.i32Add).memory(op.i32Load);
          inside
            .i32(4 * inner)
            .op(op.i32Mul)
            .get(updatesAt)
            .op(op.i32Add)
            .set(from);
          if (inner >= 4) {
            inside
              .get(to)
              .i32(16 * Math.floor(inner / 4))
              .op(op.i32Add)
              .set(e);
            inside.loop((l) => {
              l.get(to)
                .get(to)
                .memory(op.v128Load)
                .get(from)
                .memory(op.v128Load)
                .op(op.f32x4Add)
                .memory(op.v128Store);
              l.get(from).i32(16).op(op.i32Add).set(from);
              l.get(to).i32(16).op(op.i32Add).tee(to).get(e).op(op.i32LtU).brIf(0);
            });
          }
          for (let k = 0; k < inner % 4; k++) {
            inside
              .get(to)
              .get(to)
              .memory(op.f32Load, 4 * k)
              .get(from)
              .memory(op.f32Load, 4 * k);
            inside.op(op.f32Add).memory(op.f32Store, 4 * k);
          }
        });
      next.get(j).i32(1).op(op.i32Add).tee(j).i32(count).op(op.i32GeS).brIf(1);
      // Past the last block only the run that is being summed goes on.
      next.get(j).get(last).op(op.i32LtS).brIf(0);
      rowOf(next).get(row).op(op.i32Eq).brIf(0);
    });
  });
  return {
    bytes: encodeModule({ run: f }, options),
    units,
    unitCost: block * (2 + inner / 8),
    scratchBytes: 0,
  };
}
