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
  readonly arenaBytes: number;
}

export interface Prepared {
  /** Does the work `iterations` times; resolves when all of it is done. */
  run(iterations: number): Promise<void>;
  /** Results of the latest call. Of a training step they are read after the first. */
  outputs(): Promise<Output[]>;
  counts?(): Promise<Counts>;
  release(): void;
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
