/** Conversion between dtypes. */
import { type DType, scalarOf } from "../../dtype.js";
import * as e from "../../expr/expr.js";
import * as m from "../../expr/math.js";
import { defineOp, nondifferentiable } from "../../op.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { generate } from "../shared/reference.js";

const castOp = defineOp<{ readonly dtype: DType }>({
  name: "cast",
  infer: ([x], { dtype }) => [{ shape: x!.shape, dtype }],
  reference: ([x], { dtype }, [out]) => [
    generate(out!, (i) => {
      const v = x!.data[i]!;
      return dtype === "float32" || dtype === "bool" ? v : Math.trunc(v);
    }),
  ],
  lower:
    (_b, [x], _outs, { dtype }) =>
    (at) => {
      const given = x!.at(at);
      // Compilers of shaders may assume that nothing is NaN.
      if (x!.dtype === "float32" && dtype === "bool") return e.or(e.ne(given, e.f32(0)), m.isNan(given));
      const v = e.cast(given, scalarOf[dtype]);
      return dtype === "uint8" && x!.dtype !== "bool" ? e.binary("and", v, e.u32(255)) : v;
    },
  vjp: nondifferentiable("one side is an integer or bool: a cast between equal dtypes records nothing"),
  sample: (s) => {
    const from = s.pick<DType>(["float32", "int32", "uint32", "uint8", "bool"]);
    const dtype = s.pick<DType>(["float32", "int32", "uint32", "uint8", "bool"]);
    const signed = dtype === "int32" || dtype === "float32" || from === "int32";
    const range = from === "float32" && !signed ? ([0, 250] as const) : undefined;
    return { inputs: [{ shape: s.shape(), dtype: from, ...(range ? { range } : {}) }], params: { dtype } };
  },
});

/**
 * `x` converted to another dtype. float32 → integer truncates towards zero (undefined out of range), integers wrap,
 * anything → bool asks `≠ 0`, which NaN is. A tensor that has the dtype already is returned as it is.
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : apply1(castOp, [x], { dtype });
}
