/** Features of images, as plain arrays: what the protocols below work on, whatever made them. */

/** Features and classes of a set of images. */
export interface Labelled {
  /** Row-major [count, width]. */
  readonly features: Float32Array;
  readonly labels: Int32Array;
  /** Numbers per image. */
  readonly width: number;
}

/** Rows divided by their Euclidean length; a zero row stays zero. */
export function unitRows(features: Float32Array, width: number): Float32Array {
  const out = new Float32Array(features.length);
  for (let at = 0; at < features.length; at += width) {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += features[at + j]! ** 2;
    const scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
    for (let j = 0; j < width; j++) out[at + j] = features[at + j]! * scale;
  }
  return out;
}

/** Mean and standard deviation of every feature over the rows. A feature that never varies gets deviation 1. */
export function columnStatistics(
  features: Float32Array,
  width: number,
): { mean: Float64Array; deviation: Float64Array } {
  const count = features.length / width;
  const mean = new Float64Array(width);
  const deviation = new Float64Array(width);
  for (let at = 0; at < features.length; at += width)
    for (let j = 0; j < width; j++) mean[j]! += features[at + j]! / count;
  for (let at = 0; at < features.length; at += width)
    for (let j = 0; j < width; j++) deviation[j]! += (features[at + j]! - mean[j]!) ** 2 / count;
  for (let j = 0; j < width; j++) deviation[j] = deviation[j]! > 1e-12 ? Math.sqrt(deviation[j]!) : 1;
  return { mean, deviation };
}

/** (x − mean) / deviation, with the statistics of another set: those of the training images, also for held-out ones. */
export function standardise(
  features: Float32Array,
  width: number,
  { mean, deviation }: ReturnType<typeof columnStatistics>,
): Float32Array {
  const out = new Float32Array(features.length);
  for (let at = 0; at < features.length; at += width)
    for (let j = 0; j < width; j++) out[at + j] = (features[at + j]! - mean[j]!) / deviation[j]!;
  return out;
}

/** The given rows of a labelled set. */
export function rowsOf(set: Labelled, rows: readonly number[]): Labelled {
  const features = new Float32Array(rows.length * set.width);
  for (const [i, row] of rows.entries())
    features.set(set.features.subarray(row * set.width, (row + 1) * set.width), i * set.width);
  return { features, labels: Int32Array.from(rows, (row) => set.labels[row]!), width: set.width };
}
