/** Expressions over an iteration space. */
import type { Expr, Index, Slot } from "./expr.js";

/** The kernel compiled from an expression: every element of the iteration space computes and stores its outputs. */
export interface MapKernel {
  readonly family: "map";
  /** Extents of the iteration space, outermost first; adjacent axes have been merged where every index allows it. */
  readonly axes: readonly Index[];
  /** `value` is stored at `index`; several outputs share the iteration and their common sub-expressions. */
  readonly outputs: readonly { readonly slot: Slot; readonly index: Expr; readonly value: Expr }[];
  /** Slots that are read, in binding order (the outputs follow in theirs). */
  readonly reads: readonly Slot[];
}
