/** Losses as scalars, and how often the right class is among the first. */
import {
  cast,
  DawnstrapError,
  equal,
  expand,
  greater,
  less,
  logicalAnd,
  logicalOr,
  mean,
  mul,
  oneHot,
  reshape,
  sub,
  sum,
  type Tensor,
} from "@dawnstrap/tensor";

/** Mean over the batch of −log softmax(logits)[label], with label smoothing as an option. */
export { crossEntropy } from "@dawnstrap/tensor";

/** Mean of (a − b)² over all elements. */
export function meanSquaredError(a: Tensor, b: Tensor): Tensor {
  const difference = sub(a, b);
  return mean(mul(difference, difference));
}

/**
 * Fraction of rows whose label is among the k largest logits. Of equal logits the later class goes first, as
 * in the BYOL code (`topk_accuracy` of helpers.py): constant logits predict the last class.
 *
 * @param logits float32 [batch, classes]
 * @param labels int32 [batch]
 * @returns a scalar; not differentiable
 */
export function topKAccuracy(logits: Tensor, labels: Tensor, k = 1): Tensor {
  const classes = logits.shape.at(-1)!;
  if (!(Number.isInteger(k) && k >= 1))
    throw new DawnstrapError(`topKAccuracy: k is ${k} (use a whole number above 0)`);
  const isLabel = oneHot(labels, classes);
  const own = sum(mul(logits, isLabel), -1, true);
  const at = expand(reshape(logits.device.arange(classes), [1, classes]), logits.shape);
  const label = expand(reshape(labels, [labels.size, 1]), logits.shape);
  const ahead = logicalOr(greater(logits, own), logicalAnd(equal(logits, own), greater(at, label)));
  return mean(cast(less(sum(cast(ahead, "float32"), -1), k), "float32"));
}
