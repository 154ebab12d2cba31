/** Repeating and rotating along axes. */
import { ShapeError } from "../../errors.js";
import * as e from "../../expr/expr.js";
import { defineOp } from "../../op.js";
import { normalizeAxis, stridesOf } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { expand } from "../reductions/sum.js";
import { zerosLike } from "../shared/reference.js";
import { reshape } from "../views/reshape.js";

/** Repeats `x`: counts[i] times along axis i (extra leading counts add axes). */
export function tile(x: Tensor, counts: readonly number[]): Tensor {
  const rank = Math.max(x.rank, counts.length);
  const shape = [...new Array<number>(rank - x.rank).fill(1), ...x.shape];
  const times = [...new Array<number>(rank - counts.length).fill(1), ...counts];
  for (const n of times)
    if (!Number.isInteger(n) || n < 0) throw new ShapeError("tile", `count ${n} is not a whole number ≥ 0`);
  const apart = reshape(
    x,
    shape.flatMap((d) => [1, d]),
  );
  const repeated = expand(
    apart,
    shape.flatMap((d, i) => [times[i]!, d]),
  );
  return reshape(
    repeated,
    shape.map((d, i) => d * times[i]!),
  );
}

interface RollParams {
  readonly axis: number;
  /** 0 … extent − 1. */
  readonly shift: number;
}

const rollOp = defineOp<RollParams>({
  name: "roll",
  infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
  reference([x], { axis, shift }, [out]) {
    const y = zerosLike(out!);
    const [extent, inner] = [x!.shape[axis]!, stridesOf(x!.shape)[axis]!];
    x!.data.forEach((v, i) => {
      const k = Math.floor(i / inner) % extent;
      y.data[i + (((k + shift) % extent) - k) * inner] = v;
    });
    return [y];
  },
  lower:
    (_b, [x], _outs, { axis, shift }) =>
    (at) => {
      const i = at[axis]!;
      const wrapped = e.select(e.lt(i, e.i32(shift)), e.i32(x!.shape[axis]! - shift), e.i32(-shift));
      return x!.at(at.with(axis, e.add(i, wrapped)));
    },
  vjp: ({ grads, params }) => [roll(grads[0]!, -params.shift, params.axis)],
  sample: (s) => {
    const shape = s.shape({ rank: [1, 4] });
    const axis = s.int(0, shape.length - 1);
    return { inputs: [{ shape }], params: { axis, shift: s.int(0, Math.max(0, shape[axis]! - 1)) } };
  },
  free: true,
});

/** Moves elements `shift` places along an axis; those that leave at one end enter at the other. */
export function roll(x: Tensor, shift: number, axis = 0): Tensor {
  const a = normalizeAxis("roll", axis, x.rank);
  if (!Number.isInteger(shift)) throw new ShapeError("roll", `shift ${shift} is not a whole number`);
  const extent = x.shape[a]!;
  const places = extent === 0 ? 0 : ((shift % extent) + extent) % extent;
  return places === 0 ? x : apply1(rollOp, [x], { axis: a, shift: places });
}
