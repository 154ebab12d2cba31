/** Broadcasting inside lowerings. */
import type { DType } from "../../dtype.js";
import type { Expr } from "../../expr/expr.js";
import * as e from "../../expr/expr.js";
import type { Accessor, Sampler, Source } from "../../op.js";
import { numel, type Shape } from "../../shape.js";

/** Reads `source` as if it had the shape `out`. A stretched operand is read often, so it is stored unless it is cheap. */
export function stretched(source: Source, out: Shape): Accessor {
  const s = numel(source.shape) < numel(out) ? source.cached() : source;
  const lead = out.length - s.shape.length;
  return (at) => s.at(s.shape.map((d, i) => (d === 1 ? e.i32(0) : at[lead + i]!)));
}

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
