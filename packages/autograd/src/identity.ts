/** Ops that pass their value on and change only what the backward walk sees. */
import type { Tensor } from "@dawnstrap/tensor";
import { apply1, defineOp, nondifferentiable, type NdArray } from "@dawnstrap/tensor/extend";

const copy = (x: NdArray): NdArray => ({ ...x, data: x.data.slice() });

const stopGradientOp = defineOp<undefined>({
  name: "stopGradient",
  infer: ([x]) => [x!],
  reference: ([x]) => [copy(x!)],
  lower: (_b, [x]) => x!.at,
  vjp: nondifferentiable("its derivative is zero by definition"),
  sample: (s) => ({ inputs: [{ shape: s.shape() }], params: undefined }),
  free: true,
});

/** The value of `x` with derivative zero: sg(x). */
export const stopGradient = (x: Tensor): Tensor => apply1(stopGradientOp, [x], undefined);

const boundaryOp = defineOp<undefined>({
  name: "boundary",
  infer: ([x]) => [x!],
  reference: ([x]) => [copy(x!)],
  lower: (_b, [x]) => x!.at,
  vjp: ({ grads }) => [grads[0]],
  sample: (s) => ({ inputs: [{ shape: s.shape() }], params: undefined }),
  free: true,
});

/** The same value as a node of its own, so that a rule can be attached to it. */
export const boundary = (x: Tensor): Tensor => apply1(boundaryOp, [x], undefined);
