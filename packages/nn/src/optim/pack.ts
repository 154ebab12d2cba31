/** `packFlat`: many tensors laid end to end, as an arena is. */
import { type Aval, defineOp, expr as e, type NdArray, nondifferentiable, type Tensor, apply1 } from "@dawnstrap/tensor";

interface PackParams {
  readonly offsets: readonly number[];
  readonly length: number;
}

const sizeOf = (a: Aval): number => a.shape.reduce((n, d) => n * d, 1);

const packFlatOp = defineOp<PackParams>({
  name: "packFlat",
  infer: (_, { length }) => [{ shape: [length], dtype: "float32" }],
  reference: (inputs, { offsets, length }): NdArray[] => {
    const data = new Float64Array(length);
    inputs.forEach((x, i) => data.set(x.data, offsets[i]!));
    return [{ shape: [length], dtype: "float32", data }];
  },
  lower(b, inputs, _, { offsets, length }) {
    const flat = b.out(0);
    inputs.forEach((x, i) => {
      b.place(x, flat, offsets[i]!);
      const end = offsets[i]! + sizeOf(x);
      const gap = (offsets[i + 1] ?? length) - end;
      // Norms and updates run over whole blocks, so the padding has to be zeros, not what was there before.
      if (gap > 0) b.mapInto(flat, [gap], ([j]) => ({ position: e.add(j!, e.i32(end)), value: e.f32(0) }));
    });
  },
  gathers: (_, { offsets }) => offsets,
  vjp: nondifferentiable("a gradient is packed for the optimiser, which is not differentiated"),
  sample: (s) => {
    const inputs = Array.from({ length: s.int(1, 6) }, () => ({ shape: s.shape({ max: 200 }) }));
    let length = 0;
    const offsets = inputs.map(({ shape }) => {
      const at = length;
      length += Math.ceil(shape.reduce((n, d) => n * d, 1) / 64) * 64;
      return at;
    });
    return { inputs, params: { offsets, length } };
  },
});

/** One float32 [length] with each tensor's elements from its offset on and zeros between. */
export function packFlat(tensors: readonly Tensor[], at: readonly { offset: number }[], length: number): Tensor {
  return apply1(packFlatOp, tensors, { offsets: at.map((s) => s.offset), length });
}
