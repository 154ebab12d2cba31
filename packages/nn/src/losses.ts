/** Losses as scalars, and how often the right class is among the first. */
import { add, and, cast, crossEntropy as crossEntropyOf, type DType, equal, greater, lessThan, mean, mul, oneHot, or, square, sub, sum, type Tensor } from "@dawnstrap/tensor";

/**
 * Mean over the batch of −log softmax(logits)[label].
 *
 * @param logits float32 [batch, classes]
 * @param labels int32 [batch]
 */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  return mean(crossEntropyOf(logits, labels));
}

/** Mean of (a − b)² over all elements. */
export function meanSquaredError(a: Tensor, b: Tensor): Tensor {
  return mean(square(sub(a, b)));
}
