/** Choice between two tensors. */
import { promote } from "../../dtype.js";
import { ShapeError } from "../../errors.js";
import * as e from "../../expr/expr.js";
import { defineOp } from "../../op.js";
import { broadcastShapes } from "../../shape.js";
import { apply1 } from "../shared/apply.js";
import type { Tensor, TensorLike } from "../../tensor.js";
import { sampleBroadcast, stretched } from "../shared/broadcast.js";
import { dtypeOfNumber } from "../values/operands.js";
import { unbroadcast } from "../reductions/sum.js";
import { cast } from "../values/cast.js";
import { full } from "../values/constants.js";
import { broadcastStrides, generate, positions } from "../shared/reference.js";

const whereOp = defineOp<undefined>({
  name: "where",
  infer([c, a, b]) {
    if (c!.dtype !== "bool" || a!.dtype !== b!.dtype)
      throw new ShapeError(
        "where",
        `wants bool and two equal dtypes, got ${c!.dtype}, ${a!.dtype} and ${b!.dtype}`,
      );
    return [{ shape: broadcastShapes("where", c!.shape, a!.shape, b!.shape), dtype: a!.dtype }];
  },
  reference(inputs, _params, [out]) {
    const [c, a, b] = inputs.map((x) => positions(out!.shape, broadcastStrides(x.shape, out!.shape)));
    const [vc, va, vb] = inputs.map((x) => x.data);
    return [generate(out!, (i) => (vc![c![i]!]! ? va![a![i]!]! : vb![b![i]!]!))];
  },
  lower(_b, inputs, [out]) {
    const [c, a, b] = inputs.map((x) => stretched(x, out!.shape));
    return (at) => e.select(c!(at), a!(at), b!(at));
  },
  vjp: ({ inputs: [c, a, b], grads: [g], needs }) => [
    undefined,
    needs[1] ? unbroadcast(where(c!, g!, 0), a!.shape) : undefined,
    needs[2] ? unbroadcast(where(c!, 0, g!), b!.shape) : undefined,
  ],
  sample: (s) => {
    const [c, a, b] = sampleBroadcast(s, 3);
    const dtype = s.pick(["float32", "int32", "bool"] as const);
    return {
      inputs: [
        { shape: c!, dtype: "bool" },
        { shape: a!, dtype },
        { shape: b!, dtype },
      ],
      params: undefined,
    };
  },
});

/** `a` where `condition` holds (is not 0), `b` elsewhere; the three broadcast. */
export function where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor {
  const beside = typeof a !== "number" ? a.dtype : typeof b !== "number" ? b.dtype : "float32";
  const [x, y] = [a, b].map((v) =>
    typeof v === "number" ? full(condition.device, [], v, dtypeOfNumber(v, beside)) : v,
  );
  const dtype = promote(x!.dtype, y!.dtype);
  return apply1(whereOp, [cast(condition, "bool"), cast(x!, dtype), cast(y!, dtype)], undefined);
}
