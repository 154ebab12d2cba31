/** What is made of predictions: accuracies, average precision, confusion, and how sure one can be of them. */
import { DataError } from "../errors.js";
import { Stream } from "../images/streams.js";

/** Class of the greatest score in each row of [rows, classes]; of equal ones the first. */
export function predictions(scores: ArrayLike<number>, classes: number): Int32Array {
  return Int32Array.from({ length: scores.length / classes }, (_, i) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (scores[i * classes + c]! > scores[i * classes + best]!) best = c;
    return best;
  });
}

/** 1 for each row whose label is among its k greatest scores, else 0. A score equal to the label's counts against it. */
export function topKHits(
  scores: ArrayLike<number>,
  labels: Int32Array,
  classes: number,
  k: number,
): Uint8Array {
  return Uint8Array.from(labels, (label, i) => {
    const own = scores[i * classes + label]!;
    let ahead = 0;
    for (let c = 0; c < classes; c++) if (c !== label && scores[i * classes + c]! >= own) ahead++;
    return ahead < k ? 1 : 0;
  });
}

const meanOf = (values: ArrayLike<number>): number => {
  if (values.length === 0) throw new DataError("metrics: there is nothing to take a mean of");
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
};

/** Share of predictions that equal the label. */
export function accuracy(predicted: Int32Array, labels: Int32Array): number {
  return meanOf(hits(predicted, labels));
}

/** 1 where prediction and label agree. */
export const hits = (predicted: Int32Array, labels: Int32Array): Uint8Array =>
  Uint8Array.from(labels, (label, i) => (predicted[i] === label ? 1 : 0));

/** Counts, row-major [classes, classes]: row = label, column = prediction. */
export function confusionMatrix(predicted: Int32Array, labels: Int32Array, classes: number): Uint32Array {
  const counts = new Uint32Array(classes * classes);
  labels.forEach((label, i) => counts[label * classes + predicted[i]!]!++);
  return counts;
}

/** Mean over the classes that occur of the share of each class's images that are predicted right. */
export function meanPerClassAccuracy(predicted: Int32Array, labels: Int32Array, classes: number): number {
  const [right, all] = [new Uint32Array(classes), new Uint32Array(classes)];
  labels.forEach((label, i) => {
    all[label]!++;
    if (predicted[i] === label) right[label]!++;
  });
  const shares: number[] = [];
  for (let c = 0; c < classes; c++) if (all[c]! > 0) shares.push(right[c]! / all[c]!);
  return meanOf(shares);
}

export type Interpolation =
  /** Pascal VOC until 2009: mean over recall t ∈ {0, 0.1, …, 1} of the greatest precision at recall ≥ t. */
  | "11-point"
  /** Area under the precision–recall curve made monotone, every point of it. */
  | "all-point";

/**
 * Average precision of one class: images by falling score, `relevant` 1 where the image shows the class. Where it is
 * given as VOC's three values, 1, −1 and 0, the images with 0 (too hard to be judged) are left out.
 */
export function averagePrecision(
  scores: ArrayLike<number>,
  relevant: ArrayLike<number>,
  interpolation: Interpolation,
): number {
  const voc = Array.prototype.includes.call(relevant, -1);
  const judged = Array.from({ length: scores.length }, (_, i) => i).filter((i) => !voc || relevant[i] !== 0);
  const order = judged.sort((a, b) => scores[b]! - scores[a]! || a - b);
  const shown = (i: number): number => (relevant[i]! > 0 ? 1 : 0);
  const total = order.reduce((n, i) => n + shown(i), 0);
  if (total === 0) throw new DataError("average precision: no image shows the class");
  const precision: number[] = [];
  const recall: number[] = [];
  let found = 0;
  order.forEach((i, rank) => {
    found += shown(i);
    precision.push(found / (rank + 1));
    recall.push(found / total);
  });
  for (let i = precision.length - 2; i >= 0; i--) precision[i] = Math.max(precision[i]!, precision[i + 1]!);
  if (interpolation === "11-point") {
    const at = (t: number): number => precision[recall.findIndex((r) => r >= t - 1e-12)] ?? 0;
    return meanOf(Array.from({ length: 11 }, (_, k) => at(k / 10)));
  }
  return recall.reduce((area, r, i) => area + (r - (recall[i - 1] ?? 0)) * precision[i]!, 0);
}

/**
 * Mean over the classes that occur of the average precision. `scores` and `memberships` are row-major [images, classes],
 * `memberships` as in `averagePrecision`.
 */
export function meanAveragePrecision(
  scores: ArrayLike<number>,
  memberships: ArrayLike<number>,
  classes: number,
  interpolation: Interpolation,
): number {
  const rows = scores.length / classes;
  const column = (of: ArrayLike<number>, c: number): number[] =>
    Array.from({ length: rows }, (_, i) => of[i * classes + c]!);
  const precisions: number[] = [];
  for (let c = 0; c < classes; c++) {
    const relevant = column(memberships, c);
    if (relevant.some((v) => v > 0))
      precisions.push(averagePrecision(column(scores, c), relevant, interpolation));
  }
  return meanOf(precisions);
}

export interface Interval {
  readonly value: number;
  /** 95 % interval of the percentile bootstrap. */
  readonly low: number;
  readonly high: number;
}

/**
 * A statistic of the held-out images with its 95 % interval by the percentile bootstrap: what the statistic would be on
 * other draws of as many images, drawn with replacement. It tells of the choice of test images alone, not of training.
 *
 * @param count images
 * @param statistic of the images at the given places
 */
export function bootstrap(
  count: number,
  statistic: (places: Uint32Array) => number,
  { seed = 0, draws = 1000 }: { seed?: number; draws?: number } = {},
): Interval {
  const value = statistic(Uint32Array.from({ length: count }, (_, i) => i));
  const values = Array.from({ length: draws }, (_, draw) => {
    const stream = new Stream(seed, "bootstrap", draw);
    return statistic(Uint32Array.from({ length: count }, () => stream.below(count)));
  }).sort((a, b) => a - b);
  const at = (share: number): number => values[Math.min(draws - 1, Math.floor(share * draws))]!;
  return { value, low: at(0.025), high: at(0.975) };
}

/** Mean of numbers per image (hits, say) with its interval. */
export const bootstrapMean = (
  perImage: ArrayLike<number>,
  options?: { seed?: number; draws?: number },
): Interval =>
  bootstrap(
    perImage.length,
    (places) => {
      let sum = 0;
      for (const i of places) sum += perImage[i]!;
      return sum / places.length;
    },
    options,
  );
