/** Broadcasting as an op of its own. */
import { ShapeError } from "../../errors.js";
import { defineOp } from "../../op.js";
import { broadcastShapes, checkShape, type Shape, sameShape, show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { stretched, unbroadcast } from "../shared/broadcast.js";
import { broadcastStrides, pick, positions } from "../shared/reference.js";

const expandOp = defineOp<{ readonly shape: Shape }>({
  name: "expand",
  infer([x], { shape }) {
    checkShape("expand", shape);
    if (!sameShape(broadcastShapes("expand", x!.shape, shape), shape))
      throw new ShapeError(
        "expand",
        `${show(x!.shape)} does not stretch to ${show(shape)}`,
        "only extents of 1 stretch",
      );
    return [{ shape, dtype: x!.dtype }];
  },
  reference: ([x], { shape }, [out]) => [pick(x!, out!, positions(shape, broadcastStrides(x!.shape, shape)))],
  lower: (_b, [x], _outs, { shape }) => stretched(x!, shape),
  vjp: ({ inputs, grads }) => [unbroadcast(grads[0]!, inputs[0]!.shape)],
  sample: (s) => {
    const shape = s.shape({ rank: [0, 4] });
    const kept = shape.slice(s.bool() ? 0 : s.int(0, shape.length));
    return { inputs: [{ shape: kept.map((d) => (s.bool() ? d : 1)) }], params: { shape } };
  },
  free: true,
});

/** Stretches axes of extent 1, and adds leading axes, to reach `shape`. */
export function expand(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply1(expandOp, [x], { shape: [...shape] });
}

/** Another name of `expand`. */
export const broadcastTo = expand;
