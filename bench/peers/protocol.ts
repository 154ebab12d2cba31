/** JSON lines between the runner and its children: one request on stdin, one reply on stdout, in order. */
import type { Case } from "./cases.js";
import type { Counts, OpenRequest } from "./contenders/contender.js";

/** Stands before every reply, since libraries print what they like. */
export const MARK = "@bench ";

export type Request =
  | ({ readonly do: "open" } & OpenRequest)
  | { readonly do: "prepare"; readonly case: Case }
  | { readonly do: "run"; readonly iterations: number }
  | { readonly do: "counts" }
  | { readonly do: "release" };

export interface Opened {
  readonly versions: Readonly<Record<string, string>>;
  readonly description: string;
  readonly threads: number;
}

/** An output's fingerprint, as test/golden/generator/digest.py makes them. */
export interface Digest {
  readonly shape: readonly number[];
  readonly values?: readonly number[];
  readonly norm?: number;
  readonly probe?: number;
  readonly samples?: readonly number[];
}

export interface PreparedReply {
  /** The first call, from recording or tracing to the finished result, kernels compiled. */
  readonly firstMs: number;
  readonly digests: Readonly<Record<string, Digest>>;
}

export interface Replies {
  readonly open: Opened;
  readonly prepare: PreparedReply;
  readonly run: { readonly ms: number };
  readonly counts: Counts | null;
  readonly release: null;
}

export type Reply =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string };
