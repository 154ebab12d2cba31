/** What the graph knows of an op: shapes, its reference, and how it is lowered. Derivatives and samples are op.ts'. */
import type { DType } from "./dtype.js";
import type { Expr } from "./expr/expr.js";
import type { Family } from "./families/family.js";
import type { Buf, DeviceLimits } from "./program.js";

/** What is known of a value before it is computed. */
export interface Aval {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A host array of the reference device: float64 for every dtype (integers are exact, bools are 0 and 1). */
export interface NdArray extends Aval {
  readonly data: Float64Array;
}

/** An element of a value, given its multi-index. */
export type Accessor = (at: readonly Expr[]) => Expr;

/** An input as an op's lowering sees it. */
export interface Source extends Aval {
  /**
   * The element at a multi-index. When the producer is pointwise and only used here, its expression is inlined:
   * this is how ops fuse.
   */
  at(index: readonly Expr[]): Expr;
  /** The same input, stored first unless recomputing an element is about as cheap as loading it. For ops that read an element many times. */
  cached(): Source;
  /** The input as a contiguous row-major buffer, for hand-written kernels. */
  buffer(): Buf;
}

export interface LowerBuilder {
  readonly limits: DeviceLimits;
  /** Output buffer `k` of this op, for lowerings that store their results themselves. */
  out(k: number): Buf;
  /** Output buffer `k`, holding the value of an input, to be updated in place. Costs nothing when the input dies here. */
  updated(k: number, input: Source): Buf;
  /** A buffer that lives within this op. */
  temp(dtype: DType, shape: readonly number[]): Buf;
  /** Reads a buffer as an array of the given shape. */
  view(buf: Buf, shape: readonly number[]): Source;
  /** Computes one element per index of `shape` and stores it row-major in each of `outs` (whole buffers of that many elements). */
  map(outs: readonly Buf[], shape: readonly number[], body: (at: readonly Expr[]) => readonly Expr[]): void;
  /** As `map`, with the flat position in `out` computed from the index (each position must be written once). */
  mapInto(
    out: Buf,
    shape: readonly number[],
    body: (at: readonly Expr[]) => { readonly position: Expr; readonly value: Expr },
  ): void;
  /** Makes an input's elements stand in `out` from element `offset` on; costs nothing when they were computed there (see OpDef.gathers). */
  place(input: Source, out: Buf, offset: number): void;
  /**
   * Launches a kernel of a family, which reads `reads` and computes (or, where the family does, updates) `out`. Of
   * `params`, the kernel gets what the family names.
   *
   * @throws DawnstrapError when a parameter or a buffer is not what the family says
   */
  call<P>(family: Family<P>, params: NoInfer<P>, reads: readonly Buf[], out: Buf): void;
}

// biome-ignore lint/suspicious/noExplicitAny: nodes hold ops of every parameter type
export interface GraphOp<P = any> {
  readonly name: string;
  /** The outputs' shapes and dtypes; throws ShapeError with the actual shapes. */
  infer(inputs: readonly Aval[], params: P): Aval[];
  /** Slow, obvious float64 loops: the oracle. */
  reference(inputs: readonly NdArray[], params: P, outs: readonly Aval[]): NdArray[];
  /**
   * How the op runs. Returns the final expression of a single output, which then may fuse into its consumers;
   * or returns nothing after having stored every output through the builder.
   */
  lower(b: LowerBuilder, inputs: readonly Source[], outs: readonly Aval[], params: P): Accessor | void;
  /** The op only renames indices (or makes constants): recomputing it is never dearer than loading its result. */
  readonly free?: boolean;
  /**
   * For an op whose only output is its inputs laid at these element offsets: producers that nobody else reads then
   * write straight into it.
   */
  readonly gathers?: (inputs: readonly Aval[], params: P) => readonly number[];
  /**
   * The op adds its two inputs up. Where a sum has its place in a gathered tensor, its older term is computed there, and
   * the sum over it.
   */
  readonly accumulates?: boolean;
  /**
   * The array as large as an activation that a network has to keep for the derivative: the first input, or the output. For
   * counting memory; said by the ops that layers are made of.
   */
  readonly keeps?: "input" | "output";
  /**
   * Multiply–adds that the definition counts, where the op is a sum of products (convolutions, matrix products); those
   * with the zeros of a padding count too, as papers count. Kernels may do with fewer.
   */
  readonly multiplyAdds?: (inputs: readonly Aval[], params: P) => number;
  /** The op updates inputs in place through `b.updated`; it is lowered after everything that still reads them. */
  readonly updates?: boolean;
}
