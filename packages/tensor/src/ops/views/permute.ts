/** Reordering of axes. */
import { ShapeError } from "../../errors.js";
import { defineOp } from "../../op.js";
import { normalizeAxis, show, stridesOf } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { pick, positions } from "../shared/reference.js";

interface Params {
  readonly axes: readonly number[];
}

const inverse = (axes: readonly number[]): number[] => axes.map((_, i) => axes.indexOf(i));

const permuteOp = defineOp<Params>({
  name: "permute",
  infer([x], { axes }) {
    if (axes.length !== x!.shape.length || new Set(axes).size !== axes.length)
      throw new ShapeError("permute", `axes [${axes}] do not name each axis of ${show(x!.shape)} once`);
    return [{ shape: axes.map((a) => x!.shape[a]!), dtype: x!.dtype }];
  },
  reference([x], { axes }, [out]) {
    const strides = stridesOf(x!.shape);
    const at = positions(
      out!.shape,
      axes.map((a) => strides[a]!),
    );
    return [pick(x!, out!, at)];
  },
  lower: (_b, [x], _outs, { axes }) => {
    const from = inverse(axes);
    return (at) => x!.at(from.map((i) => at[i]!));
  },
  vjp: ({ grads, params }) => [permute(grads[0]!, inverse(params.axes))],
  sample: (s) => {
    const shape = s.shape({ rank: [0, 4] });
    const left = shape.map((_, i) => i);
    const axes: number[] = [];
    while (left.length) axes.push(...left.splice(s.int(0, left.length - 1), 1));
    return { inputs: [{ shape }], params: { axes } };
  },
  free: true,
});

/** Reorders axes: axis i of the result is axis `axes[i]` of `x`. */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  const named = axes.map((a) => normalizeAxis("permute", a, x.rank));
  return named.length === x.rank && named.every((a, i) => a === i)
    ? x
    : apply1(permuteOp, [x], { axes: named });
}

/** Swaps two axes, the last two when none are named. */
export function transpose(x: Tensor, a = -2, b = -1): Tensor {
  const [i, j] = [normalizeAxis("transpose", a, x.rank), normalizeAxis("transpose", b, x.rank)];
  const axes = x.shape.map((_, k) => (k === i ? j : k === j ? i : k));
  return permute(x, axes);
}
