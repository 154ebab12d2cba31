/** Slices, and their transpose: placing a slice into zeros. */
import { scalarOf } from "../../dtype.js";
import { ShapeError } from "../../errors.js";
import * as e from "../../expr/expr.js";
import { defineOp, type Sampler } from "../../op.js";
import { checkShape, normalizeAxes, normalizeAxis, type Shape, show, stridesOf } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { pick, positions, zerosLike } from "../shared/reference.js";

/** Element i of an axis of the slice is element begin + i·step of the whole. */
interface Ranges {
  readonly begin: readonly number[];
  readonly step: readonly number[];
  readonly count: readonly number[];
}

interface PlaceParams extends Ranges {
  readonly shape: Shape;
}

/** Positions in an array of shape `whole` of the elements of a slice. */
function slicePositions(whole: Shape, { begin, step, count }: Ranges): Int32Array {
  const strides = stridesOf(whole);
  return positions(
    count,
    step.map((s, i) => s * strides[i]!),
    begin.reduce((p, b, i) => p + b * strides[i]!, 0),
  );
}

function checkRanges(op: string, whole: Shape, { begin, step, count }: Ranges): void {
  whole.forEach((d, i) => {
    const last = begin[i]! + (count[i]! - 1) * step[i]!;
    if (count[i]! > 0 && (begin[i]! < 0 || begin[i]! >= d || last < 0 || last >= d))
      throw new ShapeError(op, `elements ${begin[i]} to ${last} of axis ${i} lie outside of ${show(whole)}`);
  });
}

function sampleRanges(s: Sampler, shape: Shape): Ranges {
  const step = shape.map(() => s.pick([1, 1, 1, 2, 3, -1, -2]));
  const begin = shape.map((d) => s.int(0, Math.max(0, d - 1)));
  const count = shape.map((d, i) => {
    const room = step[i]! > 0 ? d - begin[i]! : begin[i]! + 1;
    return d === 0 ? 0 : s.int(s.int(0, 9) ? 1 : 0, Math.ceil(room / Math.abs(step[i]!)));
  });
  return { begin, step, count };
}

const sliceOp = defineOp<Ranges>({
  name: "slice",
  infer([x], ranges) {
    checkRanges("slice", x!.shape, ranges);
    return [{ shape: ranges.count, dtype: x!.dtype }];
  },
  reference: ([x], ranges, [out]) => [pick(x!, out!, slicePositions(x!.shape, ranges))],
  lower:
    (_b, [x], _outs, { begin, step }) =>
    (at) =>
      x!.at(at.map((i, k) => e.add(e.mul(i, e.i32(step[k]!)), e.i32(begin[k]!)))),
  vjp: ({ inputs, grads, params }) => [placeRanges(grads[0]!, inputs[0]!.shape, params)],
  sample: (s) => {
    const shape = s.shape({ rank: [0, 4] });
    return { inputs: [{ shape }], params: sampleRanges(s, shape) };
  },
  free: true,
});

const placeOp = defineOp<PlaceParams>({
  name: "placeSlice",
  infer([x], params) {
    checkShape("placeSlice", params.shape);
    checkRanges("placeSlice", params.shape, { ...params, count: x!.shape });
    return [{ shape: params.shape, dtype: x!.dtype }];
  },
  reference([x], params, [out]) {
    const y = zerosLike(out!);
    slicePositions(params.shape, params).forEach((p, i) => {
      y.data[p] = x!.data[i]!;
    });
    return [y];
  },
  lower(_b, [x], [out], { shape, begin, step, count }) {
    const zero = e.constant(0, scalarOf[out!.dtype]);
    if (count.includes(0)) return () => zero;
    return (at) => {
      let inside: e.Expr = e.bool(true);
      const from = shape.map((d, k) => {
        const [n, s] = [count[k]!, step[k]!];
        // The first and last element in ascending order, and how far this one is from the first.
        const low = s > 0 ? begin[k]! : begin[k]! + (n - 1) * s;
        const size = Math.abs(s);
        if (low === 0 && size === 1 && n === d) return s > 0 ? at[k]! : e.sub(e.i32(n - 1), at[k]!);
        const distance = e.sub(at[k]!, e.i32(low));
        inside = e.and(inside, e.and(e.ge(at[k]!, e.i32(low)), e.lt(distance, e.i32((n - 1) * size + 1))));
        // Kept in range for elements outside of the slice, which load something and drop it.
        const clamped = e.max(e.min(distance, e.i32((n - 1) * size)), e.i32(0));
        if (size > 1) inside = e.and(inside, e.eq(e.imod(clamped, size), e.i32(0)));
        const i = e.idiv(clamped, size);
        return s > 0 ? i : e.sub(e.i32(n - 1), i);
      });
      return e.select(inside, x!.at(from), zero);
    };
  },
  vjp: ({ grads, params }) => [apply1(sliceOp, [grads[0]!], params)],
  sample: (s) => {
    const shape = s.shape({ rank: [0, 3] });
    const ranges = sampleRanges(s, shape);
    return { inputs: [{ shape: ranges.count }], params: { ...ranges, shape } };
  },
});

function placeRanges(x: Tensor, shape: Shape, ranges: Ranges): Tensor {
  return apply1(placeOp, [x], { ...ranges, shape });
}

/** Zeros of the given shape, with `x` in the block that starts at `begin`. */
export function place(x: Tensor, shape: Shape, begin: readonly number[]): Tensor {
  return placeRanges(x, shape, { begin, step: begin.map(() => 1), count: x.shape });
}

/**
 * Elements begin, begin + step, … before end, along each axis, as Python's `x[begin:end:step]`: negative ends count
 * from the back, bounds beyond the axis are cut, steps may be negative; null (or leaving out) takes the whole way.
 */
export function slice(
  x: Tensor,
  begin: readonly (number | null)[],
  end: readonly (number | null)[] = [],
  steps: readonly number[] = [],
): Tensor {
  for (const list of [begin, end, steps])
    if (list.length > x.rank)
      throw new ShapeError("slice", `${list.length} bounds for ${x.rank} axes of ${show(x.shape)}`);
  const ranges = x.shape.map((d, i) => {
    const step = steps[i] ?? 1;
    if (!Number.isInteger(step) || step === 0)
      throw new ShapeError("slice", `step ${step} of axis ${i} is not a whole number ≠ 0`);
    const [least, most] = step > 0 ? [0, d] : [-1, d - 1];
    const bound = (v: number | null | undefined, whole: number): number => {
      if (v === null || v === undefined) return whole;
      if (!Number.isInteger(v))
        throw new ShapeError("slice", `bound ${v} of axis ${i} is not a whole number`);
      return Math.min(most, Math.max(least, v < 0 ? v + d : v));
    };
    const first = bound(begin[i], step > 0 ? least : most);
    const stop = bound(end[i], step > 0 ? most : least);
    return { first: Math.max(0, first), step, count: Math.max(0, Math.ceil((stop - first) / step)) };
  });
  if (ranges.every((r, i) => r.step === 1 && r.count === x.shape[i])) return x;
  return apply1(sliceOp, [x], {
    begin: ranges.map((r) => r.first),
    step: ranges.map((r) => r.step),
    count: ranges.map((r) => r.count),
  });
}

/** Elements start … stop − 1 along one axis. */
export function narrow(x: Tensor, axis: number, start: number, stop: number): Tensor {
  const a = normalizeAxis("narrow", axis, x.rank);
  const [begin, end] = [
    new Array<number | null>(x.rank).fill(null),
    new Array<number | null>(x.rank).fill(null),
  ];
  begin[a] = start;
  end[a] = stop;
  return slice(x, begin, end);
}

/** Reverses the order along axes (all when left out). */
export function flip(x: Tensor, axes?: number | readonly number[]): Tensor {
  const named = normalizeAxes("flip", axes, x.rank);
  const none = x.shape.map(() => null);
  return slice(
    x,
    none,
    none,
    x.shape.map((_, i) => (named.includes(i) ? -1 : 1)),
  );
}

/** Cuts an axis into slices: `parts` equal ones, or ones of the given sizes. */
export function split(x: Tensor, parts: number | readonly number[], axis = 0): Tensor[] {
  const a = normalizeAxis("split", axis, x.rank);
  const extent = x.shape[a]!;
  if (typeof parts === "number" && (!Number.isInteger(parts) || parts < 1 || extent % parts))
    throw new ShapeError("split", `axis ${a} of ${show(x.shape)} does not fall into ${parts} equal parts`);
  const sizes = typeof parts === "number" ? new Array<number>(parts).fill(extent / parts) : parts;
  const total = sizes.reduce((s, n) => s + n, 0);
  if (total !== extent)
    throw new ShapeError(
      "split",
      `sizes ${show(sizes)} add up to ${total}, axis ${a} of ${show(x.shape)} has ${extent}`,
    );
  let start = 0;
  return sizes.map((n) => {
    start += n;
    return narrow(x, a, start - n, start);
  });
}
