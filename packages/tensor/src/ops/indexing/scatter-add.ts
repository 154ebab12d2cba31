/** Adding rows at indices. Updates are sorted by row first (stably), so that each row is added up in a fixed order. */
import { ShapeError } from "../../errors.js";
import {
  add,
  binary,
  bitcast,
  type Expr,
  eq,
  f32,
  fold,
  i32,
  max,
  min,
  select,
  u32,
} from "../../expr/expr.js";
import { scatterAdd as scatterAdds } from "../../families/scatter-add.js";
import type { Buf } from "../../program.js";
import { defineOp, type LowerBuilder, type OpDef, type Source } from "../../op.js";
import { numel, type Shape, show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { cast } from "../values/cast.js";
import { gatherRows } from "./gather.js";
import { reindex } from "../views/reshape.js";
import { sortOrder } from "./sort-order.js";

/** What indices outside 0 … rows − 1 mean: the nearer end, or nothing. */
export type Outside = "clamp" | "zero";

interface ScatterParams {
  readonly outside: Outside;
}

/** Up to this many updates, walking all of them for every element is cheaper than sorting them. */
const FEW = 64;

interface RowUpdates {
  /** Sort key of the update at an index of `shape`: its row as int32, bits as uint32 with the sign flipped. */
  readonly keys: (at: readonly Expr[]) => Expr;
  readonly shape: Shape;
  /** The updates, `inner` elements for each key, in the order of `shape`. */
  readonly updates: Source;
  readonly rows: number;
  readonly inner: number;
  readonly target: Buf;
}

const flipped = (e: Expr): Expr => binary("xor", e, u32(0x80000000));

/** Adds updates to the rows of `target`, in the order of their indices. Rows out of range are left out. */
export function addRows(b: LowerBuilder, { keys, shape, updates, rows, inner, target }: RowUpdates): void {
  const count = numel(shape);
  const stored = b.temp("uint32", [count]);
  b.map([stored], shape, (at) => [keys(at)]);
  const lines = b.view(stored, [1, count]);
  const order = sortOrder(b, lines);
  const sorted = b.temp("int32", [count]);
  b.map([sorted], [count], ([j]) => [bitcast(flipped(lines.at([i32(0), order.at([i32(0), j!])])), "i32")]);
  b.call(scatterAdds, { rows, inner, count }, [sorted, order.buffer(), updates.buffer()], target);
}

const place = (row: Expr, rows: number, outside: Outside): Expr =>
  outside === "clamp" ? min(max(row, i32(0)), i32(rows - 1)) : row;

export const scatterAddOp: OpDef<ScatterParams> = defineOp<ScatterParams>({
  name: "scatterAdd",
  infer([x, indices, updates]) {
    const inner = x!.shape.slice(1);
    if (x!.shape.length === 0) throw new ShapeError("scatterAdd", "a scalar has no rows to add to");
    if (x!.dtype !== "float32" || updates!.dtype !== "float32")
      throw new ShapeError(
        "scatterAdd",
        `x is ${x!.dtype} and updates are ${updates!.dtype}, float32 is wanted`,
        "cast them first",
      );
    if (indices!.dtype !== "int32")
      throw new ShapeError("scatterAdd", `indices are ${indices!.dtype}, int32 is wanted`);
    const wanted = [...indices!.shape, ...inner];
    if (show(updates!.shape) !== show(wanted))
      throw new ShapeError(
        "scatterAdd",
        `updates have shape ${show(updates!.shape)}; indices ${show(indices!.shape)} into x ${show(x!.shape)} want ${show(wanted)}`,
      );
    return [x!];
  },
  reference([x, indices, updates], { outside }) {
    const y = { ...x!, data: x!.data.slice() };
    const rows = x!.shape[0]!;
    const inner = numel(x!.shape.slice(1));
    indices!.data.forEach((index, j) => {
      const row = outside === "clamp" ? Math.min(rows - 1, Math.max(0, index)) : index;
      if (row >= 0 && row < rows)
        for (let c = 0; c < inner; c++) y.data[row * inner + c]! += updates!.data[j * inner + c]!;
    });
    return [y];
  },
  lower(b, [x, indices, updates], [out], { outside }) {
    const rows = x!.shape[0]!;
    const count = numel(indices!.shape);
    const inner = numel(x!.shape.slice(1));
    const rowOf = (j: Expr): Expr => place(indices!.at(reindex([j], [count], indices!.shape)), rows, outside);
    if (count <= FEW) {
      const stored = updates!.cached();
      return (at) => {
        const [total] = fold(count, [f32(0)], (j, [part]) => {
          const update = stored.at(
            reindex([j, ...at.slice(1)], [count, ...x!.shape.slice(1)], updates!.shape),
          );
          return [add(part!, select(eq(rowOf(j), at[0]!), update, f32(0)))];
        });
        return add(x!.at(at), total!);
      };
    }
    const target = b.updated(0, x!);
    if (numel(out!.shape) === 0) return;
    addRows(b, {
      keys: ([j]) => flipped(bitcast(rowOf(j!), "u32")),
      shape: [count],
      updates: updates!,
      rows,
      inner,
      target,
    });
  },
  vjp: ({ inputs: [, indices], grads: [g], params: { outside }, needs }) => [
    g,
    undefined,
    needs[2] ? gatherRows(g!, indices!, outside) : undefined,
  ],
  sample(s) {
    const rows = s.pick([1, 4, 9]);
    const inner = s.pick([[], [1], [3], [2, 5]]);
    const indices = s.pick([[1], [7], [2, 3], [90]]);
    return {
      inputs: [
        { shape: [rows, ...inner] },
        { shape: indices, dtype: "int32", range: [-1, rows] },
        { shape: [...indices, ...inner] },
      ],
      params: { outside: s.pick(["clamp", "zero"]) },
    };
  },
  // All updates may fall on one row and cancel.
  tolerance: 1e-4,
});

/**
 * Adds rows at indices: `y = x`, then `y[indices[j]] += updates[j]` for every j, in order (the same bits every time).
 * Indices outside 0 … rows − 1 are left out.
 *
 * @param x float32 `[rows, …inner]`
 * @param indices int32 of any shape
 * @param updates float32 `[…indices' shape, …inner]`
 */
export function scatterAdd(x: Tensor, indices: Tensor, updates: Tensor): Tensor {
  const rows = indices.dtype === "uint8" || indices.dtype === "uint32" ? cast(indices, "int32") : indices;
  return apply1<ScatterParams>(scatterAddOp, [x, rows, updates], { outside: "zero" });
}
