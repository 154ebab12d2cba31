/**
 * What the cases in jax-js share: arrays in its own layout, and the steps over them. Images are NCHW and weights OIHW, which is all
 * that its convolution takes.
 */
import type * as Jax from "@jax-js/jax";
import { input, type Output } from "./contender.js";

export type J = typeof Jax;
export type JaxArray = Jax.Array;

/** As contender.ts' `Stepper`, but arrays are counted by hand, so it reads and releases them itself. */
export interface JaxStepper {
  step(): JaxArray[];
  /** The results, and whatever else the step changes, in the canonical layout. */
  outputs(results: readonly JaxArray[]): Promise<Output[]>;
  release(): void;
}

export const toNchw = [0, 3, 1, 2];
export const toNhwc = [0, 2, 3, 1];
/** [kh, kw, in, out] → [out, in, kh, kw]. */
export const toOihw = [3, 2, 0, 1];
/** [out, in, kh, kw] → [kh, kw, in, out]. */
export const toHwio = [2, 3, 1, 0];

export function permuted(
  jax: J,
  data: Float32Array,
  shape: readonly number[],
  order?: readonly number[],
): JaxArray {
  const x = jax.numpy.array(data, { shape: [...shape] });
  // Adding zero makes the permuted array a contiguous one of its own.
  return order ? (jax.jit((y: JaxArray) => y.transpose([...order]).add(0))(x) as JaxArray) : x;
}

/** Makes an input of a case. */
export type Leaf = (
  name: string,
  shape: readonly number[],
  scale?: number,
  offset?: number,
  order?: readonly number[],
) => JaxArray;

export const leafOf =
  (jax: J): Leaf =>
  (name, shape, scale = 1, offset = 0, order = undefined) =>
    permuted(jax, input(name, shape, scale, offset), shape, order);

/** It has no such layer; this is the textbook's formula over [batch, channels, h, w]. */
export function batchNorm(jax: J, x: JaxArray, scale: JaxArray, offset: JaxArray, eps = 1e-5): JaxArray {
  const { numpy: np } = jax;
  const axes = x.ndim === 4 ? [0, 2, 3] : [0];
  const shape = x.ndim === 4 ? [1, -1, 1, 1] : [1, -1];
  const centred = x.ref.sub(x.mean(axes, { keepdims: true }));
  const variance = np.square(centred.ref).mean(axes, { keepdims: true });
  const factor = scale.reshape(shape).div(np.sqrt(variance.add(eps)));
  return centred.mul(factor).add(offset.reshape(shape));
}
