/**
 * Matrix products in disguise. GEMM, convolution and both of its gradients add up A(row, k) · B(k, column); they
 * differ in how a row, a column and a step of the sum find their elements. A `Product` says just that, in WGSL, and
 * the two generators (`lanes` without workgroup memory, `tiles` with it) do the rest.
 */

/** A loop around the innermost one. Statements may use its variable and those of the loops around it. */
export interface OuterLoop {
  /** Such as `for (var ky = 0u; ky < 3u; ky++)`; the same for all invocations of a workgroup. */
  readonly head: string;
  readonly common?: readonly string[];
  /** Statements about row `p`; names that they declare end in `p`. */
  row?(p: string): readonly string[];
}

export interface Product {
  /** Independent products: batch entries, groups, phases, splits. `problem` (u32) is the current one. */
  readonly problems: number;
  /** Rows and columns of the result of one problem. */
  readonly m: number;
  readonly n: number;
  /** Steps of the sum, all loops together; an estimate, for choosing tiles. */
  readonly depth: number;
  /** Steps of the innermost loop alone. */
  readonly innerExtent: number;
  /** Module-scope declarations. */
  readonly globals?: readonly string[];
  /** Statements at the start, given `problem`. */
  readonly setup: readonly string[];
  /** Statements about row `p`, given `row{p}` (u32, below m). */
  row(p: string): readonly string[];
  readonly loops: readonly OuterLoop[];
  /** Bounds of the innermost loop's variable `k` (u32), uniform in a workgroup. */
  readonly from: string;
  readonly to: string;
  /** Position of the element A(row p, k) in A (u32). */
  a(p: string): string;
  /** False where A(row p, k) is zero and has no place in A; its position is any then. Undefined when every element has one. */
  inside?(p: string): string;
  /** Position of the element B(k, column) in B (u32). */
  b(column: string): string;
  /** Position of row `p` in the result (u32). */
  out(p: string): string;
  /** False where row `p` has no place in the result; undefined when every row has one. */
  valid?(p: string): string;
  /** Whether neighbours in memory are neighbours in k, or else in rows of A, in columns of B. */
  readonly aAlongK: boolean;
  readonly bAlongK: boolean;
  /** Four such neighbours that start at a multiple of four are one aligned vec4 of A, of B; four columns, of the result. */
  readonly aVectors: boolean;
  readonly bVectors: boolean;
  readonly outVectors: boolean;
}
