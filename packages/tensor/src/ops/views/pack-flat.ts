/** Many tensors in one flat buffer: what multi-tensor updates work on. */
import { ShapeError } from "../../errors.js";
import * as e from "../../expr/expr.js";
import { defineOp } from "../../op.js";
import { numel } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { zerosLike } from "../shared/reference.js";
import { reshape } from "./reshape.js";
import { narrow } from "./slice.js";

interface PackParams {
  /** First element of each input in the output. */
  readonly offsets: readonly number[];
  readonly total: number;
}

/** Distance of offsets, in elements: windows of device memory start at multiples of 256 bytes. */
const packAlignment = 64;

const packOp = defineOp<PackParams>({
  name: "packFlat",
  infer(inputs, { offsets, total }) {
    let end = 0;
    inputs.forEach((x, k) => {
      const start = offsets[k]!;
      if (x.dtype !== "float32") throw new ShapeError("packFlat", `input ${k} is ${x.dtype}, not float32`);
      if (start < end || start % packAlignment)
        throw new ShapeError(
          "packFlat",
          `offset ${start} of input ${k} is not a multiple of ${packAlignment} at or after ${end}, where input ${k - 1} ends`,
        );
      end = start + numel(x.shape);
    });
    if (end > total)
      throw new ShapeError("packFlat", `${total} elements do not hold the inputs, which end at ${end}`);
    return [{ shape: [total], dtype: "float32" }];
  },
  reference(inputs, { offsets }, [out]) {
    const y = zerosLike(out!);
    inputs.forEach((x, k) => y.data.set(x.data, offsets[k]!));
    return [y];
  },
  lower(b, inputs, _outs, { offsets, total }) {
    const out = b.out(0);
    const gaps: { start: number; size: number }[] = [];
    let end = 0;
    [...offsets, total].forEach((start, k) => {
      if (start > end) gaps.push({ start: end, size: start - end });
      if (k < inputs.length) {
        end = start + numel(inputs[k]!.shape);
        b.place(inputs[k]!, out, start);
      }
    });
    // Many small gaps share a launch: their positions are chosen by comparisons.
    for (let g = 0; g < gaps.length; g += 32) {
      const group = gaps.slice(g, g + 32);
      const sizes = group.map((gap) => gap.size);
      const begin = sizes.map((_, k) => sizes.slice(0, k).reduce((s, n) => s + n, 0));
      b.mapInto(out, [begin.at(-1)! + sizes.at(-1)!], ([i]) => ({
        position: group
          .map((gap, k) => ({ first: begin[k]!, at: e.add(i!, e.i32(gap.start - begin[k]!)) }))
          .reduce((a, c) => ({ first: c.first, at: e.select(e.lt(i!, e.i32(c.first)), a.at, c.at) })).at,
        value: e.f32(0),
      }));
    }
  },
  vjp: ({ inputs, grads, params, needs }) =>
    inputs.map((x, k) => {
      const start = params.offsets[k]!;
      return needs[k] ? reshape(narrow(grads[0]!, 0, start, start + x.size), x.shape) : undefined;
    }),
  sample: (s) => {
    const inputs = Array.from({ length: s.int(1, 5) }, () => ({
      shape: s.shape({ rank: [0, 3], max: 150 }),
    }));
    let end = 0;
    const offsets = inputs.map(({ shape }) => {
      const start = Math.ceil(end / packAlignment) * packAlignment + packAlignment * s.int(0, 1);
      end = start + numel(shape);
      return start;
    });
    return { inputs, params: { offsets, total: end + s.int(0, 70) } };
  },
  gathers: (_inputs, { offsets }) => offsets,
});

/**
 * Float32 tensors, flattened, at the given element offsets of one 1-D tensor of `total` elements; the rest is 0.
 * Offsets are ascending multiples of 64, so that every piece starts at a window that devices can bind.
 */
export function packFlat(inputs: readonly Tensor[], offsets: readonly number[], total: number): Tensor {
  if (inputs.length === 0 || inputs.length !== offsets.length)
    throw new ShapeError("packFlat", `${offsets.length} offsets for ${inputs.length} tensors`);
  return apply1(packOp, inputs, { offsets, total });
}
