/** Do contenders compute the same? Compared by fingerprints: outputs of millions of elements stay in their processes. */
import { bits, uniform } from "../../test/golden/formula.js";
import type { Output } from "./contenders/contender.js";
import type { Digest } from "./protocol.js";

const WHOLE = 64;
const SAMPLES = 32;

/**
 * Small outputs whole; of others the norm, the dot product with a formula vector, and elements here and there. Throws
 * where an element is not finite: no such number would survive the JSON, nor any comparison.
 */
export function digestOf({ name, shape, data }: Output): Digest {
  const n = data.length;
  const direction = uniform(`${name}/probe`, n);
  let [squares, probe] = [0, 0];
  for (let i = 0; i < n; i++) {
    squares += data[i]! ** 2;
    probe += data[i]! * direction[i]!;
  }
  if (!Number.isFinite(squares)) throw new Error(`its ${name} is not finite`);
  if (n <= WHOLE) return { shape, values: Array.from(data) };
  const samples = Array.from(bits(`${name}/samples`, SAMPLES), (at) => data[at % n]!);
  return { shape, norm: Math.sqrt(squares), probe, samples };
}

/** The largest deviation in units of the root mean square; infinite where shapes differ. */
export function deviation(a: Digest, b: Digest): number {
  const n = a.shape.reduce((x, y) => x * y, 1);
  if (a.shape.join() !== b.shape.join()) return Number.POSITIVE_INFINITY;
  const elements = (x: readonly number[], y: readonly number[], unit: number): number[] =>
    x.map((v, i) => Math.abs(v - y[i]!) / unit);
  if (a.values && b.values) {
    const unit = Math.sqrt(b.values.reduce((s, v) => s + v * v, 0) / n);
    return Math.max(0, ...elements(a.values, b.values, Math.max(unit, 1e-12)));
  }
  const unit = Math.max(b.norm! / Math.sqrt(n), 1e-12);
  // The probe's direction has a root mean square of 1/√3.
  return Math.max(
    Math.abs(a.norm! - b.norm!) / (unit * Math.sqrt(n)),
    Math.abs(a.probe! - b.probe!) / (unit * Math.sqrt(n / 3)),
    ...elements(a.samples!, b.samples!, unit),
  );
}

type Digests = Readonly<Record<string, Digest>>;

/**
 * Finds the contender that most others agree with, and how far each one is from it. Nobody is the judge: a wrong
 * library is outvoted, ours included.
 */
export function compare(
  results: ReadonlyMap<string, Digests>,
  tolerance: number,
): { reference: string | undefined; deviations: Map<string, number> } {
  const names = [...results.keys()];
  const between = (a: string, b: string): number => {
    const [x, y] = [results.get(a)!, results.get(b)!];
    if (Object.keys(x).sort().join() !== Object.keys(y).sort().join()) return Number.POSITIVE_INFINITY;
    return Math.max(...Object.keys(x).map((output) => deviation(x[output]!, y[output]!)));
  };
  const friends = (a: string): number => names.filter((b) => between(b, a) <= tolerance).length;
  const reference = names.reduce<string | undefined>(
    (best, name) => (best === undefined || friends(name) > friends(best) ? name : best),
    undefined,
  );
  const deviations = new Map(names.map((name) => [name, reference ? between(name, reference) : 0]));
  return { reference, deviations };
}
