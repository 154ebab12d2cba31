/**
 * Reading slices at indices and its adjoint, adding rows at indices. Updates are sorted by row first (stably), so that
 * each row is added up in a fixed order.
 */
import { ShapeError } from "../../errors.js";
import {
  type Expr,
  add,
  and,
  binary,
  bitcast,
  constant,
  eq,
  f32,
  fold,
  ge,
  i32,
  lt,
  max,
  min,
  select,
  u32,
} from "../../expr/expr.js";
import { scalarOf } from "../../dtype.js";
import { type LowerBuilder, type OpDef, type Source, defineOp } from "../../op.js";
import { type Shape, normalizeAxis, numel, show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { cast } from "../values/cast.js";
import { zerosLike as zeros } from "../values/constants.js";
import { permute } from "../views/permute.js";
import { zerosLike } from "../shared/reference.js";
import { scatterAdd as scatterAdds } from "../../families/scatter-add.js";
import type { Buf } from "../../program.js";
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

interface GatherParams {
  readonly axis: number;
  readonly outside: Outside;
}

const gatherOp: OpDef<GatherParams> = defineOp<GatherParams>({
  name: "gather",
  infer([x, indices], { axis }) {
    if (indices!.dtype !== "int32")
      throw new ShapeError("gather", `indices are ${indices!.dtype}, int32 is wanted`, "cast them first");
    if (x!.shape[axis] === 0 && numel(indices!.shape) > 0)
      throw new ShapeError("gather", `axis ${axis} of ${show(x!.shape)} has nothing to gather`);
    return [{ shape: x!.shape.toSpliced(axis, 1, ...indices!.shape), dtype: x!.dtype }];
  },
  reference([x, indices], { axis, outside }, [out]) {
    const y = zerosLike(out!);
    const n = x!.shape[axis]!;
    const outer = numel(x!.shape.slice(0, axis));
    const inner = numel(x!.shape.slice(axis + 1));
    const count = indices!.data.length;
    for (let o = 0; o < outer; o++)
      indices!.data.forEach((index, j) => {
        if (outside === "zero" && (index < 0 || index >= n)) return;
        const k = Math.min(n - 1, Math.max(0, index));
        for (let i = 0; i < inner; i++)
          y.data[(o * count + j) * inner + i] = x!.data[(o * n + k) * inner + i]!;
      });
    return [y];
  },
  lower(_b, [x, indices], [out], { axis, outside }) {
    const from = numel(out!.shape) > numel(x!.shape) ? x!.cached() : x!;
    const n = x!.shape[axis]!;
    const depth = indices!.shape.length;
    return (at) => {
      const index = indices!.at(at.slice(axis, axis + depth));
      const value = from.at(at.toSpliced(axis, depth, min(max(index, i32(0)), i32(n - 1))));
      if (outside === "clamp") return value;
      return select(and(ge(index, i32(0)), lt(index, i32(n))), value, constant(0, scalarOf[x!.dtype]));
    };
  },
  vjp({ inputs: [x, indices], grads: [g], params: { axis, outside } }) {
    // Rows are added along the first axis: bring the gathered axes to the front, and the result's back.
    const depth = indices!.rank;
    const gathered = Array.from({ length: depth }, (_, i) => axis + i);
    const rest = g!.shape.map((_, i) => i).filter((i) => i < axis || i >= axis + depth);
    const front = permute(g!, [...gathered, ...rest]);
    const restOfX = x!.shape.map((_, i) => i).filter((i) => i !== axis);
    const dx = apply1(scatterAddOp, [zeros(permute(x!, [axis, ...restOfX])), indices!, front], { outside });
    return [
      permute(dx, [
        ...restOfX.slice(0, axis).map((_, i) => i + 1),
        0,
        ...restOfX.slice(axis).map((_, i) => axis + i + 1),
      ]),
      undefined,
    ];
  },
  sample(s) {
    const shape = s.shape({ rank: [1, 3], max: 200 });
    const axis = s.int(0, shape.length - 1);
    const indices = s.pick([[], [1], [5], [2, 3]]);
    return {
      inputs: [{ shape }, { shape: indices, dtype: "int32", range: [-1, shape[axis]!] }],
      params: { axis, outside: s.pick(["clamp", "zero"]) },
    };
  },
});

/** Rows of `x` at indices, with a choice of what indices out of range mean. */
export const gatherRows = (x: Tensor, indices: Tensor, outside: Outside): Tensor =>
  apply1<GatherParams>(gatherOp, [x, indices], { axis: 0, outside });

/**
 * Slices of `x` at indices along an axis: `y[a…, i…, b…] = x[a…, indices[i…], b…]`.
 *
 * Indices outside 0 … extent − 1 are moved to the nearer end. The gradient of a slice that was taken several times is
 * the sum of its takers', added in a fixed order.
 *
 * @param x any dtype, `[…, extent, …]`
 * @param indices int32 (or uint8, uint32) of any shape
 * @param axis which axis is indexed, the first by default
 */
export function gather(x: Tensor, indices: Tensor, axis = 0): Tensor {
  const at = indices.dtype === "uint8" || indices.dtype === "uint32" ? cast(indices, "int32") : indices;
  return apply1<GatherParams>(gatherOp, [x, at], {
    axis: normalizeAxis("gather", axis, x.rank),
    outside: "clamp",
  });
}
