/** Broadcasting inside lowerings, and its transpose for derivatives. */
import type { DType } from "../../dtype.js";
import type { Expr } from "../../expr/expr.js";
import * as e from "../../expr/expr.js";
import type { Accessor, Sampler, Source } from "../../op.js";
import { numel, type Shape, sameShape } from "../../shape.js";
import type { Tensor, TensorLike } from "../../tensor.js";
import { cast } from "../values/cast.js";
import { full } from "../values/constants.js";
import { reshape } from "../views/reshape.js";
import { sum } from "../reductions/sum.js";

/** Reads `source` as if it had the shape `out`. A stretched operand is read often, so it is stored unless it is cheap. */
export function stretched(source: Source, out: Shape): Accessor {
  const s = numel(source.shape) < numel(out) ? source.cached() : source;
  const lead = out.length - s.shape.length;
  return (at) => s.at(s.shape.map((d, i) => (d === 1 ? e.i32(0) : at[lead + i]!)));
}

/** Sums a cotangent over the axes along which an operand of shape `shape` was stretched. */
export function unbroadcast(g: Tensor, shape: Shape): Tensor {
  if (sameShape(g.shape, shape)) return g;
  const lead = g.rank - shape.length;
  const axes = g.shape
    .map((_, i) => i)
    .filter((i) => i < lead || (shape[i - lead] === 1 && g.shape[i] !== 1));
  return reshape(axes.length ? sum(g, axes) : g, shape);
}

/** The dtype that a plain number takes beside a tensor: the tensor's own where it can hold the number. */
export function dtypeOfNumber(value: number, beside: DType): DType {
  if (beside === "float32" || !Number.isInteger(value)) return "float32";
  if (beside === "bool") return "int32";
  if (beside === "uint8" && (value < 0 || value > 255)) return "int32";
  return beside === "uint32" && value < 0 ? "int32" : beside;
}

/** Replaces plain numbers by constants on the device of the first tensor. */
export function tensors(op: string, ...operands: readonly TensorLike[]): Tensor[] {
  const beside = operands.find((x): x is Tensor => typeof x !== "number");
  if (!beside) throw new TypeError(`${op}: needs a tensor among its operands, got numbers only`);
  return operands.map((x) =>
    typeof x === "number" ? full(beside.device, [], x, dtypeOfNumber(x, beside.dtype)) : x,
  );
}

export const asFloat = (x: Tensor): Tensor => cast(x, "float32");

/** uint8 values are kept in u32 registers; arithmetic on them wraps where a store would. */
export const wrapped = (x: Expr, dtype: DType): Expr =>
  dtype === "uint8" ? e.binary("and", x, e.u32(255)) : x;

/** Shapes that broadcast to one: some extents become 1, some leading axes fall away. */
export function sampleBroadcast(s: Sampler, count: number): number[][] {
  const out = s.shape({ rank: [0, 4] });
  return Array.from({ length: count }, (_, k) => {
    if (k === 0 && s.bool()) return out;
    const kept = out.slice(s.bool() ? 0 : s.int(0, out.length));
    return s.bool() ? kept : kept.map((d) => (s.bool() ? d : 1));
  });
}
