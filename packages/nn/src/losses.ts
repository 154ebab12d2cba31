/** Losses as scalars, and how often the right class is among the first. */
import {
  any,
  type CrossEntropyOptions,
  cast,
  DawnstrapError,
  div,
  equal,
  expand,
  greater,
  less,
  logicalAnd,
  logicalOr,
  maximum,
  mean,
  mul,
  oneHot,
  reshape,
  ShapeError,
  sub,
  notEqual,
  sum,
  type Tensor,
  where,
} from "@dawnstrap/tensor";
import { checkLabels, checkSameShape } from "@dawnstrap/tensor/extend";

/** Mean over the batch of −log softmax(logits)[label]; label smoothing and a label to ignore are options. */
export { crossEntropy } from "@dawnstrap/tensor";

/**
 * Mean of (a − b)² over all elements.
 *
 * @throws ShapeError when the shapes differ: broadcasting would compare every element of one with every one of the other
 */
export function meanSquaredError(a: Tensor, b: Tensor): Tensor {
  checkSameShape("meanSquaredError", a, b);
  const difference = sub(a, b);
  return mean(mul(difference, difference));
}

/**
 * Fraction of rows whose label is among the k largest logits. Of equal logits the later class goes first, as
 * in the BYOL code (`topk_accuracy` of helpers.py): constant logits predict the last class.
 *
 * @param logits float32 [batch, classes]
 * @param labels int32 [batch]. A label that is no class throws while its value is at hand, as in `crossEntropy`, and is
 *   otherwise never predicted
 * @param options.ignoreIndex the label of rows that do not count; 0 where none counts
 * @returns a scalar; not differentiable
 */
export function topKAccuracy(
  logits: Tensor,
  labels: Tensor,
  k = 1,
  { ignoreIndex }: Pick<CrossEntropyOptions, "ignoreIndex"> = {},
): Tensor {
  if (logits.rank !== 2 || labels.rank !== 1 || labels.size !== logits.shape[0])
    throw new ShapeError(
      "topKAccuracy",
      `logits [${logits.shape.join(", ")}] and labels [${labels.shape.join(", ")}]: [batch, classes] and [batch] are wanted`,
    );
  checkLabels("topKAccuracy", logits, labels, ignoreIndex);
  const classes = logits.shape.at(-1)!;
  if (!(Number.isInteger(k) && k >= 1))
    throw new DawnstrapError(`topKAccuracy: k is ${k} (use a whole number above 0)`);
  const isLabel = oneHot(labels, classes);
  // Selected, not multiplied: 0·∞ of another class must not reach the sum.
  const own = sum(where(isLabel, logits, 0), -1, true);
  const at = expand(reshape(logits.device.arange(classes), [1, classes]), logits.shape);
  const label = expand(reshape(labels, [labels.size, 1]), logits.shape);
  const ahead = logicalOr(greater(logits, own), logicalAnd(equal(logits, own), greater(at, label)));
  const among = less(sum(cast(ahead, "float32"), -1), k);
  const hits = cast(logicalAnd(among, any(isLabel, -1)), "float32");
  if (ignoreIndex === undefined) return mean(hits);
  const counts = cast(notEqual(labels, ignoreIndex), "float32");
  return div(sum(mul(hits, counts)), maximum(sum(counts), 1));
}
