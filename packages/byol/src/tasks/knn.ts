/**
 * k-nearest-neighbour classification of features. The default is the weighted vote of Wu et al. 2018, as MoCo and Lightly
 * have it: the k bank images with the greatest cosine vote for their class with weight exp(cos / T).
 *
 * Similarities are computed on the device a block at a time, so memory does not grow with the number of images.
 */
import { type Device, matmul, type Tensor } from "@dawnstrap/tensor";
import { DataError } from "../errors.js";
import { turn } from "../turn.js";
import { type Labelled, unitRows } from "./features.js";
import { accuracy, predictions } from "./metrics.js";
import { Nearest, type Neighbour } from "./nearest.js";

export interface KnnOptions {
  /** Neighbours that vote, no more than the bank holds. Default: what `neighbours` makes of 200. */
  readonly k?: number | undefined;
  /** Temperature T of the cosine's weighted vote. Default 0.1. */
  readonly temperature?: number;
  /** "cosine" (default), or "euclidean" on features as they are. */
  readonly distance?: "cosine" | "euclidean";
  /** "weighted" (default): exp(cos / T), or 1/(d + 1e-5) for Euclidean distances d; "majority": every neighbour counts alike. */
  readonly vote?: "weighted" | "majority";
  /** Queries and bank are the same images in the same order: none is its own neighbour. Default false. */
  readonly leaveOneOut?: boolean;
  /** Ends the search before its end: its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** What a general setting of `k` becomes where nobody asked for so many: a fifth of a small bank, of which k were most. */
export const neighbours = (k: number, bank: number): number => Math.max(1, Math.min(k, Math.floor(bank / 5)));

/** Most rows of queries and of the bank in one product: 16 MiB of similarities. */
const blockRows = { queries: 512, bank: 8192 } as const;

/**
 * Votes for each class, row-major [queries, classes].
 *
 * @throws DataError where `k` neighbours are asked for that the bank does not hold, or rows do not fit
 */
export async function knnScores(
  device: Device,
  bank: Labelled,
  queries: Float32Array,
  classes: number,
  options: KnnOptions = {},
): Promise<Float64Array> {
  const { distance = "cosine", vote = "weighted", temperature = 0.1, leaveOneOut = false } = options;
  const { width, labels } = bank;
  if (labels.length === 0) throw new DataError("knn: the bank holds no images");
  if (queries.length % width !== 0)
    throw new DataError(`knn: queries hold ${queries.length} numbers, not rows of ${width} like the bank's`);
  const count = queries.length / width;
  if (leaveOneOut && count !== labels.length)
    throw new DataError(`knn: ${count} queries cannot be left out of a bank of ${labels.length} one by one`);
  const others = leaveOneOut ? labels.length - 1 : labels.length;
  if (others === 0) throw new DataError("knn: the bank's only image is left out of its own neighbours");
  const { k = neighbours(200, labels.length) } = options;
  if (!Number.isInteger(k) || k < 1 || k > others)
    throw new DataError(
      `knn: ${k} neighbours of ${others} images (take k from 1 to ${others}, or leave it out: a fifth of a small bank)`,
    );
  const nearest = await nearestRows(device, bank.features, queries, width, {
    distance,
    k,
    leaveOneOut,
    signal: options.signal,
  });
  const weight = (similarity: number): number => {
    if (vote === "majority") return 1;
    return distance === "cosine"
      ? Math.exp(similarity / temperature)
      : 1 / (Math.sqrt(Math.max(0, -similarity)) + 1e-5);
  };
  const votes = new Float64Array(count * classes);
  nearest.forEach((found, q) => {
    for (const { place, similarity } of found) votes[q * classes + labels[place]!]! += weight(similarity);
  });
  return votes;
}

/** Class of each query. Ties go to the lower class. */
export async function knnPredict(
  device: Device,
  bank: Labelled,
  queries: Float32Array,
  classes: number,
  options?: KnnOptions,
): Promise<Int32Array> {
  return predictions(await knnScores(device, bank, queries, classes, options), classes);
}

/** Share of queries whose class the neighbours get right. */
export async function knnAccuracy(
  device: Device,
  bank: Labelled,
  queries: Labelled,
  classes: number,
  options?: KnnOptions,
): Promise<number> {
  return accuracy(await knnPredict(device, bank, queries.features, classes, options), queries.labels);
}

/** The k nearest rows of `bank` for every row of `queries`, the nearest first; of equal ones the first; all where they are fewer. */
export async function nearestRows(
  device: Device,
  bank: Float32Array,
  queries: Float32Array,
  width: number,
  {
    k,
    distance = "cosine",
    leaveOneOut = false,
    signal,
  }: { k: number } & Pick<KnnOptions, "distance" | "leaveOneOut" | "signal">,
): Promise<Neighbour[][]> {
  const cosine = distance === "cosine";
  const [keys, asked] = cosine ? [unitRows(bank, width), unitRows(queries, width)] : [bank, queries];
  const [keyNorms, askedNorms] = cosine ? [] : [squaredNorms(keys, width), squaredNorms(asked, width)];
  const count = queries.length / width;
  const found = Array.from({ length: count }, () => new Nearest(Math.min(k, bank.length / width)));
  const products = device.capture((q: Tensor, b: Tensor) => matmul(q, b, { transposeB: true }));
  try {
    const rows = blockRows.queries;
    for (let start = 0; start * width < keys.length; start += blockRows.bank) {
      const block = keys.subarray(start * width, (start + blockRows.bank) * width);
      const size = block.length / width;
      const there = device.tensor(block, [size, width]);
      for (let from = 0; from < count; from += rows) {
        await turn(signal);
        const part = asked.subarray(from * width, (from + rows) * width);
        const here = part.length / width;
        const dots = await (await products(device.tensor(part, [here, width]), there)).data();
        for (let i = 0; i < here; i++) {
          const heap = found[from + i]!;
          const own = askedNorms?.[from + i];
          for (let j = 0; j < size; j++) {
            if (leaveOneOut && start + j === from + i) continue;
            const dot = dots[i * size + j]!;
            heap.offer(start + j, own === undefined ? dot : 2 * dot - own - keyNorms![start + j]!);
          }
        }
      }
    }
  } finally {
    products.release();
  }
  return found.map((heap) => heap.sorted());
}

function squaredNorms(rows: Float32Array, width: number): Float64Array {
  const out = new Float64Array(rows.length / width);
  rows.forEach((v, at) => (out[Math.floor(at / width)]! += v * v));
  return out;
}
