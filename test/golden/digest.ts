/** Comparing tensors with the digests that generator/digest.py wrote. */
import { bits, uniform } from "./formula.js";

export interface Digest {
  readonly shape: readonly number[];
  /** Every element of a small tensor. */
  readonly values?: readonly number[];
  readonly norm?: number;
  readonly sum?: number;
  /** Dot product with the formula vector `name/probe`. */
  readonly probe?: number;
  /** Elements at formula-chosen positions. */
  readonly samples?: readonly number[];
  /** ‖PyTorch float32 − float64‖ / ‖float64‖, where the generator measured it. */
  readonly float32Error?: number;
}

export interface Host {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * The largest deviation in units of the tensor's root mean square (at least `floor`), by which a test bounds
 * it. The norm, the sum and the probe are scaled to what a deviation of one unit in every element would do to
 * them.
 */
export function deviation(name: string, got: Host, want: Digest, floor = 1e-6): number {
  if (got.shape.join() !== want.shape.join())
    throw new Error(`${name}: shape [${got.shape}], the golden file has [${want.shape}]`);
  const n = got.data.length;
  const rms = (values: ArrayLike<number>): number => norm(values) / Math.sqrt(values.length);
  if (want.values) {
    const unit = Math.max(rms(want.values), floor);
    return Math.max(0, ...want.values.map((v, i) => worst(got.data[i]! - v) / unit));
  }
  const unit = Math.max(want.norm! / Math.sqrt(n), floor);
  const direction = uniform(`${name}/probe`, n);
  let [sum, probe] = [0, 0];
  for (let i = 0; i < n; i++) {
    sum += got.data[i]!;
    probe += got.data[i]! * direction[i]!;
  }
  const at = bits(`${name}/samples`, want.samples!.length);
  return Math.max(
    worst(norm(got.data) - want.norm!) / (unit * Math.sqrt(n)),
    worst(sum - want.sum!) / (unit * n),
    worst(probe - want.probe!) / (unit * norm(direction)),
    ...want.samples!.map((v, k) => worst(got.data[at[k]! % n]! - v) / unit),
  );
}

/** |x|, where a NaN is as bad as can be instead of passing every comparison. */
const worst = (x: number): number => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : Math.abs(x));

function norm(values: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i]! ** 2;
  return Math.sqrt(squares);
}

/** Deviations of a whole family of tensors, worst first. */
export function deviations(
  got: ReadonlyMap<string, Host>,
  want: Readonly<Record<string, Digest>>,
  floor?: number,
): [string, number][] {
  const missing = Object.keys(want).filter((name) => !got.has(name));
  if (missing.length) throw new Error(`no value for ${missing.join(", ")}`);
  return Object.entries(want)
    .map(([name, digest]) => [name, deviation(name, got.get(name)!, digest, floor)] as [string, number])
    .sort((a, b) => b[1] - a[1]);
}
