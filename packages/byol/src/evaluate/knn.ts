/**
 * Weighted k-nearest-neighbour classification (Wu et al. 2018, as MoCo and Lightly use it): the k bank images with
 * the greatest cosine vote for their class with weight exp(cos / T).
 */
import { DataError } from "../errors.js";
import { accuracy, type Labelled, unitRows } from "./features.js";

export interface KnnOptions {
  /** Neighbours; a bank of fewer than 5k images uses a fifth of it. Default 200. */
  readonly k?: number;
  /** Temperature T. Default 0.1. */
  readonly temperature?: number;
}

/** Neighbours that vote: `k`, or a fifth of a small bank, where 200 would be most of it. */
export const neighbours = (k: number, bank: number): number => Math.max(1, Math.min(k, Math.floor(bank / 5)));

/** Class of each query. Ties go to the lower class. */
export function knnPredict(
  bank: Labelled,
  queries: Float32Array,
  classes: number,
  options: KnnOptions = {},
): Int32Array {
  const { width } = bank;
  const count = bank.labels.length;
  if (count === 0) throw new DataError("knn: the bank holds no images");
  if (queries.length % width !== 0)
    throw new DataError(`knn: queries hold ${queries.length} numbers, not rows of ${width} like the bank's`);
  const k = neighbours(options.k ?? 200, count);
  const temperature = options.temperature ?? 0.1;
  const keys = unitRows(bank.features, width);
  const units = unitRows(queries, width);
  const predicted = new Int32Array(queries.length / width);
  const cosines = new Float32Array(count);
  const votes = new Float64Array(classes);
  for (let q = 0; q < predicted.length; q++) {
    similarities(keys, units.subarray(q * width, (q + 1) * width), cosines);
    votes.fill(0);
    for (const i of greatest(cosines, k)) votes[bank.labels[i]!]! += Math.exp(cosines[i]! / temperature);
    predicted[q] = votes.indexOf(votes.reduce((a, b) => Math.max(a, b)));
  }
  return predicted;
}

/** Share of queries whose class the neighbours get right. */
export function knnAccuracy(
  bank: Labelled,
  queries: Labelled,
  classes: number,
  options?: KnnOptions,
): number {
  return accuracy(knnPredict(bank, queries.features, classes, options), queries.labels);
}

/** Dot product of every row of `keys` with one row; four sums, so that the processor can overlap them. */
function similarities(keys: Float32Array, query: Float32Array, out: Float32Array): void {
  const width = query.length;
  const whole = width - (width % 4);
  for (let i = 0, at = 0; i < out.length; i++, at += width) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let j = 0; j < whole; j += 4) {
      a += keys[at + j]! * query[j]!;
      b += keys[at + j + 1]! * query[j + 1]!;
      c += keys[at + j + 2]! * query[j + 2]!;
      d += keys[at + j + 3]! * query[j + 3]!;
    }
    for (let j = whole; j < width; j++) a += keys[at + j]! * query[j]!;
    out[i] = a + b + (c + d);
  }
}

/** Places of the k greatest values; of equal ones the first. A heap with the least kept value at its root. */
export function greatest(values: Float32Array, k: number): Int32Array {
  const heap = new Int32Array(Math.min(k, values.length));
  // Whether place i should leave the heap before place j.
  const weaker = (i: number, j: number) => values[i]! < values[j]! || (values[i] === values[j] && i > j);
  const sink = (root: number, size: number) => {
    for (let at = root; ; ) {
      let child = 2 * at + 1;
      if (child >= size) return;
      if (child + 1 < size && weaker(heap[child + 1]!, heap[child]!)) child++;
      if (!weaker(heap[child]!, heap[at]!)) return;
      const swap = heap[at]!;
      heap[at] = heap[child]!;
      heap[child] = swap;
      at = child;
    }
  };
  for (let i = 0; i < heap.length; i++) heap[i] = i;
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(at, heap.length);
  for (let i = heap.length; i < values.length; i++) {
    if (!weaker(heap[0]!, i)) continue;
    heap[0] = i;
    sink(0, heap.length);
  }
  return heap;
}
