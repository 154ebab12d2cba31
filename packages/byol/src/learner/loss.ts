import { batchNorm, l2Normalize, mean, sqrt, sub, sum, mul, type Tensor } from "@dawnstrap/tensor";
import { checkSameShape } from "@dawnstrap/tensor/extend";

/**
 * r(a, b) = ‖a/‖a‖ − b/‖b‖‖² = 2 − 2·cos(a, b), averaged over the batch; 0 to 4 (Grill et al. 2020, equation 2).
 *
 * The norms are guarded, x·rsqrt(max(Σx², 1e-12)), so a zero vector gives 1.
 */
export function regression(a: Tensor, b: Tensor): Tensor {
  checkSameShape("regression", a, b);
  const difference = sub(l2Normalize(a), l2Normalize(b));
  return mean(sum(mul(difference, difference), -1));
}

/**
 * Mean over the features of the standard deviation, over the batch, of ℓ2-normalised rows. About 1/√features for
 * features that spread in all directions, 0 when all images collapse onto one.
 */
export function spread(rows: Tensor): Tensor {
  const unit = l2Normalize(rows);
  const centred = sub(unit, mean(unit, 0, true));
  return mean(sqrt(mean(mul(centred, centred), 0)));
}

/** (z − mean)/√(variance + 1e-5) of each feature over the batch: batch norm without scale and offset. */
export function standardise(z: Tensor): Tensor {
  const width = [z.shape.at(-1)!];
  return batchNorm(z, z.device.ones(width), z.device.zeros(width)).y;
}
