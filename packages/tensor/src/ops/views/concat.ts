/** Joining tensors. */
import { promote } from "../../dtype.js";
import { ShapeError } from "../../errors.js";
import type { Expr } from "../../expr/expr.js";
import * as e from "../../expr/expr.js";
import { type Aval, defineOp, type Sample, type Sampler } from "../../op.js";
import { normalizeAxis, sameShape, show, stridesOf } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { cast } from "../values/cast.js";
import { positions, zerosLike } from "../shared/reference.js";
import { unsqueeze } from "./reshape.js";
import { narrow } from "./slice.js";

interface Params {
  readonly axis: number;
}

const starts = (inputs: readonly Aval[], axis: number): number[] => {
  let end = 0;
  return inputs.map((x) => {
    end += x.shape[axis]!;
    return end - x.shape[axis]!;
  });
};

/** Packed bytes are joined by one kernel that reads all pieces, and every WebGPU device binds eight buffers. */
const bytePieces = 7;

function sampleConcat(s: Sampler): Sample<Params> {
  const shape = s.shape({ rank: [1, 4], max: 200 });
  const axis = s.int(0, shape.length - 1);
  const inputs = Array.from({ length: s.int(1, 4) }, () => ({
    shape: shape.with(axis, s.int(0, 5)),
    dtype: "float32" as const,
  }));
  const dtype = s.pick(["float32", "float32", "int32", "uint8"] as const);
  return { inputs: inputs.map((x) => ({ ...x, dtype })), params: { axis } };
}

const concatOp = defineOp<Params>({
  name: "concat",
  infer(inputs, { axis }) {
    const [first] = inputs;
    inputs.forEach((x, k) => {
      if (x.dtype !== first!.dtype || !sameShape(x.shape.with(axis, 0), first!.shape.with(axis, 0)))
        throw new ShapeError(
          "concat",
          `input ${k} is ${x.dtype} ${show(x.shape)}, input 0 is ${first!.dtype} ${show(first!.shape)}`,
          `they may differ along axis ${axis} only`,
        );
    });
    const extent = inputs.reduce((n, x) => n + x.shape[axis]!, 0);
    return [{ shape: first!.shape.with(axis, extent), dtype: first!.dtype }];
  },
  reference(inputs, { axis }, [out]) {
    const y = zerosLike(out!);
    const strides = stridesOf(out!.shape);
    starts(inputs, axis).forEach((start, k) => {
      const at = positions(inputs[k]!.shape, strides, start * strides[axis]!);
      inputs[k]!.data.forEach((v, i) => {
        y.data[at[i]!] = v;
      });
    });
    return [y];
  },
  lower(b, inputs, [out], { axis }) {
    const begin = starts(inputs, axis);
    // Packed bytes of two pieces may share a word, which only one invocation may write: compute whole outputs then.
    if (out!.dtype === "uint8" || inputs.length === 1) return (at) => chosen(inputs, begin, axis, at);
    inputs.forEach((x, k) => {
      b.mapInto(b.out(0), x.shape, (at) => ({
        position: e.flatten(at.with(axis, e.add(at[axis]!, e.i32(begin[k]!))), out!.shape),
        value: x.at(at),
      }));
    });
    return undefined;
  },
  vjp: ({ inputs, grads, params, needs }) => {
    const begin = starts(inputs, params.axis);
    return inputs.map((x, k) =>
      needs[k] ? narrow(grads[0]!, params.axis, begin[k]!, begin[k]! + x.shape[params.axis]!) : undefined,
    );
  },
  sample: sampleConcat,
});

/** The element at `at` of the joined inputs, each asked at an index that it has. */
function chosen(
  inputs: readonly { shape: readonly number[]; at(index: readonly Expr[]): Expr }[],
  begin: readonly number[],
  axis: number,
  at: readonly Expr[],
): Expr {
  const filled = inputs.map((x, k) => ({ x, start: begin[k]! })).filter(({ x }) => x.shape[axis]! > 0);
  const i = at[axis]!;
  return filled
    .map(({ x, start }) => {
      const within = e.max(e.min(e.sub(i, e.i32(start)), e.i32(x.shape[axis]! - 1)), e.i32(0));
      return { start, value: x.at(at.with(axis, within)) };
    })
    .reduce((before, { start, value }) => ({
      start,
      value: e.select(e.lt(i, e.i32(start)), before.value, value),
    })).value;
}

/** Joins tensors along an axis; the other extents are equal. */
export function concat(inputs: readonly Tensor[], axis = 0): Tensor {
  const [first] = inputs;
  if (!first) throw new ShapeError("concat", "there is nothing to join");
  const a = normalizeAxis("concat", axis, first.rank);
  for (const x of inputs)
    if (x.rank !== first.rank)
      throw new ShapeError("concat", `shapes ${inputs.map((t) => show(t.shape)).join(", ")} differ in rank`);
  const dtype = inputs.map((x) => x.dtype).reduce(promote);
  if (inputs.length === 1) return first;
  const pieces = inputs.map((x) => cast(x, dtype));
  if (dtype !== "uint8" || pieces.length <= bytePieces) return apply1(concatOp, pieces, { axis: a });
  concatOp.infer(pieces, { axis: a });
  const groups = Array.from({ length: Math.ceil(pieces.length / bytePieces) }, (_, g) =>
    concat(pieces.slice(g * bytePieces, (g + 1) * bytePieces), a),
  );
  return concat(groups, a);
}

/** Joins tensors of equal shape along a new axis. */
export function stack(inputs: readonly Tensor[], axis = 0): Tensor {
  const [first] = inputs;
  for (const x of inputs)
    if (!sameShape(x.shape, first!.shape))
      throw new ShapeError("stack", `shapes ${inputs.map((t) => show(t.shape)).join(", ")} differ`);
  return concat(
    inputs.map((x) => unsqueeze(x, axis)),
    axis < 0 ? axis + (first?.rank ?? 0) + 1 : axis,
  );
}
