/** Views that keep the row-major order of elements. */
import type { Expr } from "../../expr/expr.js";
import * as e from "../../expr/expr.js";
import { ShapeError } from "../../errors.js";
import { defineOp } from "../../op.js";
import {
  checkShape,
  normalizeAxes,
  normalizeAxis,
  numel,
  type Shape,
  sameShape,
  show,
  stridesOf,
} from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { pick, positions } from "../shared/reference.js";

/**
 * The index into `from` of the element at index `at` of `to`, two shapes of equal size. Axes are matched in the
 * smallest groups of equal size, so that axes which a reshape leaves alone need no division.
 */
export function reindex(at: readonly Expr[], to: Shape, from: Shape): Expr[] {
  if (numel(from) === 0) return from.map(() => e.i32(0));
  // Extents of 1 carry no information on either side.
  const wide = to.map((_, i) => i).filter((i) => to[i] !== 1);
  const into = from.map((_, j) => j).filter((j) => from[j] !== 1);
  const out: Expr[] = from.map(() => e.i32(0));
  for (let i = 0, j = 0; i < wide.length; ) {
    const [i0, j0] = [i, j];
    let a = to[wide[i++]!]!;
    let b = from[into[j++]!]!;
    while (a !== b) {
      if (a < b) a *= to[wide[i++]!]!;
      else b *= from[into[j++]!]!;
    }
    const [source, target] = [wide.slice(i0, i), into.slice(j0, j)];
    const group =
      source.length === 1 && target.length === 1
        ? [at[source[0]!]!]
        : e.unflatten(
            e.flatten(
              source.map((k) => at[k]!),
              source.map((k) => to[k]!),
            ),
            target.map((k) => from[k]!),
          );
    target.forEach((k, n) => {
      out[k] = group[n]!;
    });
  }
  return out;
}

const reshapeOp = defineOp<{ readonly shape: Shape }>({
  name: "reshape",
  infer([x], { shape }) {
    checkShape("reshape", shape);
    if (numel(shape) !== numel(x!.shape))
      throw new ShapeError(
        "reshape",
        `${show(x!.shape)} (${numel(x!.shape)} elements) cannot become ${show(shape)} (${numel(shape)} elements)`,
      );
    return [{ shape, dtype: x!.dtype }];
  },
  reference: ([x], { shape }, [out]) => [pick(x!, out!, positions(shape, stridesOf(shape)))],
  lower:
    (_b, [x], _outs, { shape }) =>
    (at) =>
      x!.at(reindex(at, shape, x!.shape)),
  vjp: ({ inputs, grads }) => [reshape(grads[0]!, inputs[0]!.shape)],
  sample: (s) => {
    const shape = s.shape({ rank: [0, 4] });
    const rest = [...shape];
    const to: number[] = [];
    // Neighbouring axes merge, extents of 1 come and go, and a factor may split off.
    while (rest.length) {
      let d = rest.shift()!;
      if (rest.length && s.bool()) d *= rest.shift()!;
      const factor = [2, 3, 4].find((f) => d % f === 0 && d > 0);
      if (factor && s.bool()) to.push(factor, d / factor);
      else to.push(d);
      if (s.int(0, 4) === 0) to.push(1);
    }
    return { inputs: [{ shape }], params: { shape: to } };
  },
  free: true,
});

/** `x` with another shape of the same number of elements. One extent may be −1: it takes what is left. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const unknown = shape.indexOf(-1);
  let to = shape;
  if (unknown >= 0) {
    const rest = numel(shape.filter((_, i) => i !== unknown));
    if (rest <= 0 || x.size % rest)
      throw new ShapeError(
        "reshape",
        `${show(x.shape)} (${x.size} elements) does not fit ${show(shape)}: ${x.size} is not a multiple of ${rest}`,
        "only one extent may be −1",
      );
    to = shape.with(unknown, x.size / rest);
  }
  return sameShape(to, x.shape) ? x : apply1(reshapeOp, [x], { shape: [...to] });
}

/** Drops axes of extent 1: those named, or all. */
export function squeeze(x: Tensor, axes?: number | readonly number[]): Tensor {
  const named = axes === undefined ? undefined : normalizeAxes("squeeze", axes, x.rank);
  for (const a of named ?? [])
    if (x.shape[a] !== 1)
      throw new ShapeError("squeeze", `axis ${a} of ${show(x.shape)} has extent ${x.shape[a]}, not 1`);
  return reshape(
    x,
    x.shape.filter((d, i) => (named ? !named.includes(i) : d !== 1)),
  );
}

/** Inserts an axis of extent 1 before `axis` (−1: at the end). */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  const a = normalizeAxis("unsqueeze", axis, x.rank + 1);
  return reshape(x, x.shape.toSpliced(a, 0, 1));
}
