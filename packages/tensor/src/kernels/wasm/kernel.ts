/** What every wasm kernel looks like to the device that runs it. */
import type { Family } from "../../families/family.js";
import type { Binding } from "../../program.js";
import type { ValueType } from "./assembler/assembler.js";

export interface WasmOptions {
  /** Whether the memory is shared between threads (it is part of a module's import). */
  readonly shared: boolean;
  /** Use `relaxed_madd`. Off unless the engine has it. */
  readonly madd?: boolean;
  /** Threads to have units for. It changes how the work is cut, never a bit of the results. Default 2. */
  readonly threads?: number;
  /** Use Winograd's algorithm wherever it fits, or nowhere. Default: where it wins. */
  readonly winograd?: boolean;
}

/** Writes the kernels of a family. A pure function of its arguments: equal arguments give equal modules. */
export type WasmGenerator<P> = (
  params: P,
  bindings: readonly Binding[],
  options: WasmOptions,
) => CompiledWasm;

/** A line of the table of generators. */
// biome-ignore lint/suspicious/noExplicitAny: the table holds generators of every parameter type
export const writes = <P>(family: Family<P>, generator: WasmGenerator<P>): [string, WasmGenerator<any>] => [
  family.name,
  generator,
];

/** Units that keep every thread busy until the end: at least `least`, and some per thread. */
export const unitsWanted = (options: WasmOptions, least: number, perThread: number): number =>
  Math.max(least, perThread * (options.threads ?? 2));

export interface CompiledWasm {
  /** A module importing `env.memory`, exporting `run(start, end, scratch, args)`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * Independent work units 0 … units − 1. No result depends on how they are grouped into runs, so any split over
   * threads gives the same bits.
   */
  readonly units: number;
  /** Estimated nanoseconds of one unit, to decide how many threads are worth waking. */
  readonly unitCost: number;
  /** Estimated nanoseconds that every run of units costs beside them, such as packing weights. */
  readonly claimCost?: number;
  /** Bytes of private scratch memory that each thread needs. */
  readonly scratchBytes: number;
}

/**
 * Signature of `run`: units [start, end), the thread's scratch memory, and the address of a table holding the
 * address of each binding. A table instead of one parameter per binding keeps every call alike.
 */
export const runParams: readonly ValueType[] = ["i32", "i32", "i32", "i32"];
export const START = 0;
export const END = 1;
export const SCRATCH = 2;
export const ARGS = 3;
