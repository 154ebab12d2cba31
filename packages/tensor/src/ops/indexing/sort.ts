/** Sorting along an axis, and the largest or smallest few elements. */
import { ShapeError } from "../../errors.js";
import { add, type Expr, i32, mul } from "../../expr/expr.js";
import { defineOp, type NdArray } from "../../op.js";
import { normalizeAxis, numel, type Shape, show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply } from "../shared/apply.js";
import { scatterAlongAxis } from "./along-axis.js";
import { zerosLike } from "../shared/reference.js";
import { reindex } from "../views/reshape.js";
import { firstInOrder, orderKey, sortOrder } from "./sort-order.js";

interface SortParams {
  readonly axis: number;
  readonly descending: boolean;
  /** How many elements of the sorted axis are kept. */
  readonly count: number;
}

/** Extents before, along and after the axis. */
const around = (shape: Shape, axis: number): [number, number, number] => [
  numel(shape.slice(0, axis)),
  shape[axis]!,
  numel(shape.slice(axis + 1)),
];

/** Up to this many elements are found by insertion, where there are lines enough to keep the device busy. */
const FEW = 8;

function compare(a: number, b: number, descending: boolean): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return descending ? b - a : a - b;
}

const sortOp = defineOp<SortParams>({
  name: "sort",
  infer([x], { axis, count }) {
    const shape = x!.shape.with(axis, count);
    return [
      { shape, dtype: x!.dtype },
      { shape, dtype: "int32" },
    ];
  },
  reference([x], { axis, descending, count }, outs) {
    const [values, indices] = outs.map(zerosLike) as [NdArray, NdArray];
    const [outer, n, inner] = around(x!.shape, axis);
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++) {
        const at = (k: number): number => x!.data[(o * n + k) * inner + i]!;
        const order = Array.from({ length: n }, (_, k) => k).sort(
          (a, b) => compare(at(a), at(b), descending) || a - b,
        );
        order.slice(0, count).forEach((k, place) => {
          values.data[(o * count + place) * inner + i] = at(k);
          indices.data[(o * count + place) * inner + i] = k;
        });
      }
    return [values, indices];
  },
  lower(b, [x], [out], { axis, descending, count }) {
    if (numel(out!.shape) === 0) return;
    const from = x!.cached();
    const [outer, n, inner] = around(x!.shape, axis);
    const lines = outer * inner;
    const element = (o: Expr, k: Expr, i: Expr): Expr =>
      from.at(reindex([o, k, i], [outer, n, inner], x!.shape));
    const stored = b.temp("uint32", [lines, n]);
    b.map([stored], [outer, inner, n], ([o, i, k]) => [orderKey(element(o!, k!, i!), x!.dtype, descending)]);
    const keys = b.view(stored, [lines, n]);
    const few = count <= FEW && n > 64 && lines * 8 >= b.limits.parallelism;
    const order = few ? firstInOrder(b, keys, count) : sortOrder(b, keys).at;
    b.map([b.out(0), b.out(1)], [outer, count, inner], ([o, place, i]) => {
      const k = order([add(mul(o!, i32(inner)), i!), place!]);
      return [element(o!, k, i!), k];
    });
  },
  vjp({ inputs: [x], outputs: [, indices], grads: [g], params }) {
    return [g && scatterAlongAxis(g, indices!, params.axis, x!.shape[params.axis]!)];
  },
  sample(s) {
    const axis = s.int(0, 2);
    const n = s.pick([1, 2, 5, 33, 65, 130]);
    const shape = [s.pick([1, 2]), s.pick([1, 3])].toSpliced(axis, 0, n);
    const dtype = s.pick(["float32", "float32", "float32", "int32", "uint8"] as const);
    const input = dtype === "float32" ? { shape, distinct: true } : { shape, dtype, range: [0, 40] as const };
    return { inputs: [input], params: { axis, descending: s.bool(), count: s.pick([n, n, Math.min(n, 3)]) } };
  },
});

function sorted(
  op: string,
  x: Tensor,
  axis: number,
  descending: boolean,
  count?: number,
): { values: Tensor; indices: Tensor } {
  if (x.rank === 0) throw new ShapeError(op, "a scalar has no axis to sort along");
  const a = normalizeAxis(op, axis, x.rank);
  const n = x.shape[a]!;
  if (count !== undefined && (!Number.isInteger(count) || count < 1 || count > n))
    throw new ShapeError(
      op,
      `k is ${count}, axis ${a} of ${show(x.shape)} has ${n} elements`,
      `1 to ${n} can be taken`,
    );
  const [values, indices] = apply(sortOp, [x], { axis: a, descending, count: count ?? n });
  return { values: values!, indices: indices! };
}

export interface SortOptions {
  /** Largest first. Default false. */
  readonly descending?: boolean;
}

/**
 * Sorts along an axis (the last by default). Stable: equal elements keep their order. NaN comes last in either
 * direction. Gradients flow through the values.
 *
 * @returns the sorted values, and int32 indices with `values[…, j] = x[…, indices[…, j]]` along the axis
 */
export function sort(
  x: Tensor,
  axis = -1,
  { descending = false }: SortOptions = {},
): { values: Tensor; indices: Tensor } {
  return sorted("sort", x, axis, descending);
}

/** The indices that sort `x` along an axis: `sort(x, axis, options).indices`. */
export function argsort(x: Tensor, axis = -1, { descending = false }: SortOptions = {}): Tensor {
  return sorted("argsort", x, axis, descending).indices;
}

export interface TopKOptions {
  readonly axis?: number;
  /** The largest (true, the default) or the smallest. */
  readonly largest?: boolean;
}

/**
 * The k largest (or smallest) elements along an axis (the last by default), best first; of equal ones the first.
 * NaN counts as worst. Gradients flow through the values.
 *
 * @returns values and int32 indices, with extent k along the axis
 * @throws ShapeError when k is not in 1 … extent
 */
export function topK(
  x: Tensor,
  k: number,
  { axis = -1, largest = true }: TopKOptions = {},
): { values: Tensor; indices: Tensor } {
  return sorted("topK", x, axis, largest, k);
}
