/** Tensors made from numbers alone. Nothing is stored: their consumers compute the elements. */
import { type DType, type HostArray, scalarOf } from "../../dtype.js";
import * as e from "../../expr/expr.js";
import { defineOp, nondifferentiable } from "../../op.js";
import { checkShape, type Shape } from "../../shape.js";
import type { Device, Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { generate } from "../shared/reference.js";

interface FullParams {
  readonly shape: Shape;
  readonly value: number;
  readonly dtype: DType;
}

const fullOp = defineOp<FullParams>({
  name: "full",
  infer(_, { shape, dtype }) {
    checkShape("full", shape);
    return [{ shape, dtype }];
  },
  reference: (_, { value }, [out]) => [generate(out!, () => value)],
  lower:
    (_b, _inputs, _outs, { value, dtype }) =>
    () =>
      e.constant(value, scalarOf[dtype]),
  vjp: nondifferentiable("a constant has no inputs"),
  sample: (s) => {
    const dtype = s.pick<DType>(["float32", "int32", "uint32", "uint8", "bool"]);
    const value = dtype === "float32" ? s.int(-20, 20) / 8 : s.int(0, dtype === "bool" ? 1 : 200);
    return { inputs: [], params: { shape: s.shape(), value, dtype } };
  },
  free: true,
});

/** A tensor whose elements all equal `value`. */
export function full(device: Device, shape: Shape, value: number, dtype: DType = "float32"): Tensor {
  return apply1(fullOp, [], { shape, value, dtype }, device);
}

/** A tensor's elements where they are at hand without computing: those of host data not yet uploaded, or of a constant. */
export function knownValues({ node }: Tensor): readonly number[] | HostArray | undefined {
  return node.op === fullOp ? [(node.params as FullParams).value] : node.host;
}

/** Zeros of the shape, dtype and device of `x`. */
export const zerosLike = (x: Tensor): Tensor => full(x.device, x.shape, 0, x.dtype);

/** Ones of the shape, dtype and device of `x`. */
export const onesLike = (x: Tensor): Tensor => full(x.device, x.shape, 1, x.dtype);

interface ArangeParams {
  readonly count: number;
  readonly dtype: DType;
}

const arangeOp = defineOp<ArangeParams>({
  name: "arange",
  infer(_, { count, dtype }) {
    checkShape("arange", [count]);
    return [{ shape: [count], dtype }];
  },
  reference: (_, _params, [out]) => [generate(out!, (i) => i)],
  lower:
    (_b, _inputs, _outs, { dtype }) =>
    ([i]) =>
      dtype === "uint8" ? e.binary("and", e.cast(i!, "u32"), e.u32(255)) : e.cast(i!, scalarOf[dtype]),
  vjp: nondifferentiable("a constant has no inputs"),
  sample: (s) => ({
    inputs: [],
    params: { count: s.int(0, 300), dtype: s.pick<DType>(["float32", "int32", "uint32", "uint8"]) },
  }),
  free: true,
});

/** The numbers 0, 1, …, count − 1 (exact up to 2²⁴ in float32; modulo 256 in uint8). */
export function arange(device: Device, count: number, dtype: DType = "int32"): Tensor {
  return apply1(arangeOp, [], { count, dtype }, device);
}
