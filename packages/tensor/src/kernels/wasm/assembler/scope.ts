/** The nest of loops being written, and the values already computed at each level of it. */
import { Code } from "./assembler.js";

/** Where a value is: a constant, a scalar local, or one local per vector of four lanes. */
export type Value =
  | { readonly kind: "const"; readonly value: number }
  | { readonly kind: "scalar"; readonly at: number }
  | { readonly kind: "vector"; readonly at: readonly number[] };

/**
 * One level of the nest. Code goes to the outermost level at which its operands are known: a child's code is appended
 * to its parent's when the child is finished, so what was hoisted meanwhile stands before it.
 */
export class Scope {
  readonly code = new Code();
  readonly memo = new Map<unknown, Value>();
  readonly depth: number;

  constructor(
    readonly parent: Scope | undefined,
    /** Loop variables that this level fixes. */
    readonly binds: bigint,
    /** Vectors of four lanes that lane-dependent values have here; 0 = computed one at a time. */
    readonly vectors: number,
    /** Local with the lane axis's position (of the first lane), inside the loop over it. */
    readonly lane: number | undefined = parent?.lane,
  ) {
    this.depth = parent ? parent.depth + 1 : 0;
  }

  /** The level at which something with these dependencies is computable. */
  home(dependencies: bigint): Scope {
    let s: Scope = this;
    while (s.parent && !(s.binds & dependencies)) s = s.parent;
    return s;
  }
}
