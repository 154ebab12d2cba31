/** What a contender is: a library on a device that prepares cases and runs them. */
import { labels, tensor } from "../../../test/golden/formula.js";
import type { Case } from "../cases.js";

export interface Output {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major, images NHWC, convolution weights [kh, kw, in, out]. */
  readonly data: ArrayLike<number>;
}

/** What a step costs besides its time; contenders that cannot tell leave it out. */
export interface Counts {
  readonly dispatches: number;
  readonly submits: number;
  /** Made by one warm call: the aim is none. */
  readonly buffersCreated: number;
  readonly bindGroupsCreated: number;
  readonly kernelsCreated: number;
  /** Bytes of all bindings of all dispatches: what would cross the memory bus without any cache. */
  readonly bytesBound: number;
  /** Time of the calling thread for encoding and submitting; null where it computes as well. */
  readonly hostMicrosPerDispatch: number | null;
  /** First call of a function recorded anew, with its kernels compiled before. */
  readonly firstWarmMs: number;
  /** Memory of the captured program's temporaries, and the most that the device has held at all. */
  readonly arenaBytes: number;
  readonly peakBytes: number;
}

export interface Prepared {
  /** Does the work `iterations` times; resolves when all of it is done. */
  run(iterations: number): Promise<void>;
  /** Results of the latest call. They are read once, after the first. */
  outputs(): Promise<Output[]>;
  counts?(): Promise<Counts>;
  release(): void;
}

/** A case in a library's own arrays, for `prepare` to run. */
export interface Stepper<T> {
  /** Of the step's results, in order. */
  readonly names: readonly string[];
  step(): T[];
  /** State that the step has changed, read after it. */
  state?(): Promise<Output[]>;
}

export interface Contender {
  readonly versions: Readonly<Record<string, string>>;
  /** What computes, such as the adapter. */
  readonly description: string;
  readonly threads: number;
  /** Throws Cannot, or whatever the library throws, where the case is out of its reach. */
  prepare(c: Case): Promise<Prepared>;
}

export interface OpenRequest {
  readonly device: "cpu" | "webgpu";
  readonly threads: number;
}

/** Why a contender does not take part in a case, in a few words for a table's footnote. */
export class Cannot extends Error {}

/** The inputs of all cases: name, shape, scale and offset are the only things that decide their values. */
export const input = (name: string, shape: readonly number[], scale = 1, offset = 0): Float32Array =>
  tensor(name, shape, scale, offset);
export const inputLabels = (n: number, classes: number): Int32Array => labels("labels", n, classes);

/**
 * First values of a trained net, by name and shape (convolutions [kh, kw, in, out], linear layers [in, out]). The last
 * norm of a residual branch starts small, so that depth does not amplify rounding errors.
 */
export function initial(name: string, shape: readonly number[]): Float32Array {
  const stream = `initial/${name}`;
  if (shape.length > 1)
    return input(stream, shape, Math.sqrt(6 / shape.slice(0, -1).reduce((a, b) => a * b, 1)));
  if (/layer.*bn2\.weight$/.test(name)) return input(stream, shape, 0.05, 0.2);
  return name.endsWith("bias") ? input(stream, shape, 0.1) : input(stream, shape, 0.25, 1);
}

/** BYOL's target starts from other numbers than its online network. */
export const targetInitial = (name: string, shape: readonly number[]): Float32Array =>
  initial(`target/${name}`, shape);

/** How far values have moved from where they started: what a training step is compared by. */
export function change(
  name: string,
  shape: readonly number[],
  now: ArrayLike<number>,
  before: Float32Array,
): Output {
  return { name: `change of ${name}`, shape, data: before.map((v, i) => now[i]! - v) };
}
