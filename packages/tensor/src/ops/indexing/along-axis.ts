/** Reading and adding at indices that differ from line to line: NumPy's take_along_axis, and its adjoint. */
import { ShapeError } from "../../errors.js";
import {
  add,
  bitcast,
  type Expr,
  eq,
  f32,
  fold,
  i32,
  max,
  min,
  mul,
  select,
  u32,
  binary,
} from "../../expr/expr.js";
import { type Aval, defineOp, type LowerBuilder, type OpDef, type Source } from "../../op.js";
import { normalizeAxis, numel, type Shape, show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { zerosLike } from "../shared/reference.js";
import { addRows } from "./gather-scatter.js";
import { reindex } from "../views/reshape.js";

interface AlongParams {
  readonly axis: number;
  /** Extent of the axis that is indexed. */
  readonly extent: number;
}

const around = (shape: Shape, axis: number): [number, number, number] => [
  numel(shape.slice(0, axis)),
  shape[axis]!,
  numel(shape.slice(axis + 1)),
];

const clampIndex = (k: number, extent: number): number => Math.min(extent - 1, Math.max(0, k));
const clamped = (k: Expr, extent: number): Expr => min(max(k, i32(0)), i32(extent - 1));

function checkIndices(op: string, indices: Aval, like: Shape, axis: number): void {
  if (indices.dtype !== "int32")
    throw new ShapeError(op, `indices are ${indices.dtype}, int32 is wanted`, "cast them first");
  if (indices.shape.length !== like.length || indices.shape.some((d, i) => i !== axis && d !== like[i]))
    throw new ShapeError(
      op,
      `indices ${show(indices.shape)} and values ${show(like)} must agree on every axis but ${axis}`,
    );
}

const takeAlongAxisOp: OpDef<AlongParams> = defineOp<AlongParams>({
  name: "takeAlongAxis",
  infer([x, indices], { axis }) {
    checkIndices("takeAlongAxis", indices!, x!.shape, axis);
    if (x!.shape[axis] === 0 && numel(indices!.shape) > 0)
      throw new ShapeError("takeAlongAxis", `axis ${axis} of ${show(x!.shape)} has nothing to take`);
    return [{ shape: indices!.shape, dtype: x!.dtype }];
  },
  reference([x, indices], { axis, extent }, [out]) {
    const y = zerosLike(out!);
    const [, count, inner] = around(out!.shape, axis);
    indices!.data.forEach((k, p) => {
      const line = Math.floor(p / (count * inner));
      y.data[p] = x!.data[(line * extent + clampIndex(k, extent)) * inner + (p % inner)]!;
    });
    return [y];
  },
  lower(_b, [x, indices], _outs, { axis, extent }) {
    const from = x!.cached();
    return (at) => from.at(at.with(axis, clamped(indices!.at(at), extent)));
  },
  vjp: ({ inputs: [, indices], grads: [g], params }) => [
    apply1(scatterAlongAxisOp, [g!, indices!], params),
    undefined,
  ],
  sample(s) {
    const axis = s.int(0, 2);
    const extent = s.pick([1, 4, 9]);
    const rest = [s.pick([1, 2]), s.pick([1, 3])];
    return {
      inputs: [
        { shape: rest.toSpliced(axis, 0, extent) },
        { shape: rest.toSpliced(axis, 0, s.pick([1, 3, 10])), dtype: "int32", range: [-1, extent] },
      ],
      params: { axis, extent },
    };
  },
});

/** Beyond this many updates a line, walking all of them for every element costs more than sorting. */
const SHORT = 128;

const scatterAlongAxisOp: OpDef<AlongParams> = defineOp<AlongParams>({
  name: "scatterAlongAxis",
  infer([g, indices], { axis, extent }) {
    checkIndices("scatterAlongAxis", indices!, g!.shape, axis);
    if (g!.dtype !== "float32")
      throw new ShapeError("scatterAlongAxis", `updates are ${g!.dtype}, float32 is wanted`);
    if (g!.shape[axis] !== indices!.shape[axis])
      throw new ShapeError(
        "scatterAlongAxis",
        `indices ${show(indices!.shape)} and updates ${show(g!.shape)} differ`,
      );
    return [{ shape: g!.shape.with(axis, extent), dtype: "float32" }];
  },
  reference([g, indices], { axis, extent }, [out]) {
    const y = zerosLike(out!);
    const [, count, inner] = around(g!.shape, axis);
    indices!.data.forEach((k, p) => {
      const line = Math.floor(p / (count * inner));
      y.data[(line * extent + clampIndex(k, extent)) * inner + (p % inner)]! += g!.data[p]!;
    });
    return [y];
  },
  lower(b, [g, indices], [out], { axis, extent }) {
    const count = g!.shape[axis]!;
    if (count > SHORT) return scatterLines(b, g!, indices!, axis, out!);
    const [updates, places] = [g!.cached(), indices!.cached()];
    return (at) =>
      fold(count, [f32(0)], (j, [total]) => {
        const from = at.with(axis, j);
        const here = eq(clamped(places.at(from), extent), at[axis]!);
        return [add(total!, select(here, updates.at(from), f32(0)))];
      })[0]!;
  },
  vjp: ({ inputs: [, indices], grads: [h], params }) => [
    apply1(takeAlongAxisOp, [h!, indices!], params),
    undefined,
  ],
  sample(s) {
    const axis = s.int(0, 2);
    const extent = s.pick([1, 4, 9]);
    const shape = [s.pick([1, 2]), s.pick([1, 3])].toSpliced(axis, 0, s.pick([1, 3, 10, 130]));
    return {
      inputs: [{ shape }, { shape, dtype: "int32", range: [-1, extent] }],
      params: { axis, extent },
    };
  },
  // A line's updates may all fall on one element and cancel.
  tolerance: 1e-4,
});

/** Long lines: every element of the result is a row of its own, to which sorted updates are added. */
function scatterLines(b: LowerBuilder, g: Source, indices: Source, axis: number, out: Aval): void {
  const [outer, extent, inner] = around(out.shape, axis);
  const shape = [outer, g.shape[axis]!, inner];
  const target = b.out(0);
  b.map([target], [numel(out.shape)], () => [f32(0)]);
  const key = ([o, j, i]: readonly Expr[]): Expr => {
    const k = clamped(indices.at(reindex([o!, j!, i!], shape, indices.shape)), extent);
    const row = add(mul(add(mul(o!, i32(extent)), k), i32(inner)), i!);
    return binary("xor", bitcast(row, "u32"), u32(0x80000000));
  };
  addRows(b, { keys: key, shape, updates: g, rows: numel(out.shape), inner: 1, target });
}

/**
 * Elements of each line at that line's own indices, as NumPy's `take_along_axis`:
 * `y[…, j, …] = x[…, indices[…, j, …], …]` along the axis. Indices outside 0 … extent − 1 are moved to the nearer end.
 *
 * @param x `[…, extent, …]`
 * @param indices int32, x's shape but for the axis
 */
export function takeAlongAxis(x: Tensor, indices: Tensor, axis = -1): Tensor {
  const a = normalizeAxis("takeAlongAxis", axis, x.rank);
  return apply1(takeAlongAxisOp, [x, indices], { axis: a, extent: x.shape[a]! });
}

/**
 * Adds updates to zeros at each line's own indices: the adjoint of `takeAlongAxis`, for an axis of `extent` elements.
 * Several updates of one element are added in their order.
 */
export function scatterAlongAxis(updates: Tensor, indices: Tensor, axis: number, extent: number): Tensor {
  const a = normalizeAxis("scatterAlongAxis", axis, updates.rank);
  return apply1(scatterAlongAxisOp, [updates, indices], { axis: a, extent });
}
