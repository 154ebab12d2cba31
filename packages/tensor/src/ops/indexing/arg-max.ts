/** Positions of the largest and smallest elements. */
import { ShapeError } from "../../errors.js";
import type { Expr } from "../../expr/expr.js";
import * as e from "../../expr/expr.js";
import * as m from "../../expr/math.js";
import { defineOp, nondifferentiable, type OpDef } from "../../op.js";
import { normalizeAxis } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { refuseEmpty, without } from "../reductions/axes.js";
import { cast } from "../values/cast.js";
import { reduce } from "../reductions/reduce.js";
import { eachReduced, zerosLike } from "../shared/reference.js";
import { reshape, unsqueeze } from "../views/reshape.js";

interface Params {
  readonly axis: number;
}

const flip = (bits: Expr): Expr => e.binary("xor", bits, e.i32(0x7fffffff));

/** An i32 that orders like the value, NaN on top: comparing integers needs no care for NaN, nor for −0. */
function orderOf(x: Expr): Expr {
  if (x.type === "u32") return e.bitcast(e.binary("xor", x, e.u32(0x80000000)), "i32");
  if (x.type === "i32") return x;
  const bits = e.bitcast(e.select(e.eq(x, e.f32(0)), e.f32(0), x), "i32");
  const ascending = e.select(e.lt(bits, e.i32(0)), flip(bits), bits);
  return e.select(m.isNan(x), e.i32(2 ** 31 - 1), ascending);
}

/** Whether v comes before s as the answer for argMax. */
const exceeds = (v: number, s: number): boolean => v > s || (Number.isNaN(v) && !Number.isNaN(s));

function argOf(name: "argMax" | "argMin"): OpDef<Params> {
  return defineOp<Params>({
    name,
    infer([x], { axis }) {
      if (x!.dtype === "bool") throw new ShapeError(name, "bool has no order", "cast it first");
      refuseEmpty(name, x!.shape, [axis]);
      return [{ shape: without(x!.shape, [axis]), dtype: "int32" }];
    },
    reference([x], { axis }, [out]) {
      const y = zerosLike(out!);
      const sign = name === "argMax" ? 1 : -1;
      eachReduced(x!, [axis], (o, elements) => {
        let best = 0;
        elements.forEach((v, i) => {
          if (exceeds(sign * v, sign * elements[best]!)) best = i;
        });
        y.data[o] = best;
      });
      return [y];
    },
    lower(b, [x], _outs, { axis }) {
      const best = reduce(b, x!.shape, [axis], {
        types: ["int32", "int32"],
        init: [e.i32(-(2 ** 31)), e.i32(2 ** 31 - 1)],
        element: (at) => {
          const v = x!.at(at);
          // The bit complement reverses the order, which would put NaN last.
          const down = v.type === "f32" ? orderOf(e.unary("neg", v)) : e.unary("bitNot", orderOf(v));
          return [name === "argMax" ? orderOf(v) : down, at[axis]!];
        },
        merge: ([s, i], [v, j]) => {
          const first = e.or(e.gt(v!, s!), e.and(e.eq(v!, s!), e.lt(j!, i!)));
          return [e.select(first, v!, s!), e.select(first, j!, i!)];
        },
      });
      return (at) => best(at)[1]!;
    },
    vjp: nondifferentiable("a position is an integer"),
    sample: (s) => {
      const shape = s.shape({ rank: [1, 4], max: s.pick([60, 600, 3000]) });
      const axis = s.int(0, shape.length - 1);
      // Few distinct values make ties.
      const dtype = s.pick(["float32", "int32", "uint32", "uint8"] as const);
      return {
        inputs: [
          { shape: shape.with(axis, Math.max(1, shape[axis]!)), dtype, distinct: dtype === "float32" },
        ],
        params: { axis },
      };
    },
  });
}

const [argMaxOp, argMinOp] = [argOf("argMax"), argOf("argMin")];

function record(op: OpDef<Params>, x: Tensor, axis: number | undefined, keepDims: boolean): Tensor {
  const ordered = x.dtype === "bool" ? cast(x, "int32") : x;
  if (axis === undefined) {
    const y = apply1(op, [reshape(ordered, [-1])], { axis: 0 });
    return keepDims
      ? reshape(
          y,
          x.shape.map(() => 1),
        )
      : y;
  }
  const a = normalizeAxis(op.name, axis, x.rank);
  const y = apply1(op, [ordered], { axis: a });
  return keepDims ? unsqueeze(y, a) : y;
}

/** Position (int32) of the largest element along an axis, of the flattened tensor when left out: the first one of equals; NaN counts as largest. */
export function argMax(x: Tensor, axis?: number, keepDims = false): Tensor {
  return record(argMaxOp, x, axis, keepDims);
}

/** Position (int32) of the smallest element along an axis: the first one of equals; NaN counts as smallest. */
export function argMin(x: Tensor, axis?: number, keepDims = false): Tensor {
  return record(argMinOp, x, axis, keepDims);
}
