/**
 * A program: what the planner hands to a device. Kernels in it know buffers and numbers, no graph and no device;
 * devices know kernels, no ops.
 */
import type { DType } from "./dtype.js";
import type { Expr, Index, Slot } from "./expr/expr.js";

/**
 * A logical buffer while a program is being built: whole, or a window on another one (offset in bytes).
 * The planner gives whole buffers their place in device memory afterwards.
 */
export interface Buf extends Slot {
  readonly dtype: DType;
  readonly numel: number;
  /** Set for a window. Windows of windows are flattened. */
  readonly of?: Buf;
  readonly byteOffset: number;
}

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

/** A kernel of a family of families/, by name, with its parameters. They are plain JSON: the cache key. */
export interface FamilyKernel {
  readonly family: string;
  // biome-ignore lint/suspicious/noExplicitAny: the family of the name knows the type
  readonly params: any;
}

export type KernelSpec = MapKernel | FamilyKernel;

export type Access = "read" | "write" | "update";

/** What a generator is told of a buffer. */
export interface Binding {
  readonly dtype: DType;
  readonly access: Access;
  readonly bytes: number;
}

/** One kernel launch. Bindings stand in the kernel's binding order: reads, then updates, then writes. */
export interface Call {
  readonly key: string;
  readonly spec: KernelSpec;
  readonly bindings: readonly { readonly buf: Buf; readonly access: Access }[];
}

/** Where a whole buffer lives when the program runs. */
export interface Placement {
  readonly memory: Memory;
  readonly byteOffset: number;
}

/** A piece of device memory: an arena, a tensor's own storage. Devices subclass it. */
export interface Memory {
  readonly bytes: number;
}

/** A program bound to memory, ready to be prepared and run by a device. */
export interface BoundCall {
  readonly key: string;
  readonly spec: KernelSpec;
  readonly bindings: readonly (Binding & {
    readonly memory: Memory;
    readonly byteOffset: number;
  })[];
}
