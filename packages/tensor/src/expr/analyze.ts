/** What the planner wants to know of an expression: what it costs to evaluate, and what it reads. */
import { affineParts, childrenOf, type Expr, type Index, type Slot } from "./expr.js";

export interface Summary {
  /** About how many scalar operations one evaluation takes; index arithmetic is not counted. */
  readonly weight: number;
  readonly slots: ReadonlySet<Slot>;
}

/** Sums up a set of expressions that are evaluated together; shared sub-expressions count once. */
export function summarize(roots: readonly Expr[]): Summary {
  const slots = new Set<Slot>();
  const seen = new Set<Expr>();
  const visit = (e: Expr): number => {
    if (seen.has(e)) return 0;
    seen.add(e);
    switch (e.kind) {
      case "const":
      case "index":
      case "affine":
      case "state":
        return 0;
      case "load":
        slots.add(e.slot);
        return 1 + visit(e.index);
      case "foldResult": {
        const { fold } = e;
        if (seen.has(fold.index)) return 0;
        seen.add(fold.index);
        return (
          fold.init.reduce((w, x) => w + visit(x), 1) +
          fold.index.extent * fold.next.reduce((w, x) => w + visit(x), 1)
        );
      }
      default:
        return childrenOf(e).reduce((w, x) => w + visit(x), 1);
    }
  };
  const weight = roots.reduce((w, e) => w + visit(e), 0);
  return { weight, slots };
}

/** Visits every node of the expressions once, folds' bodies included. */
export function visitAll(roots: readonly Expr[], visit: (e: Expr) => void): void {
  const seen = new Set<Expr>();
  const walk = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    visit(e);
    childrenOf(e).forEach(walk);
  };
  roots.forEach(walk);
}

/**
 * Which neighbouring axes may be walked as one: pair k is true when every index in the expressions moves along axis
 * k as it would move off the end of axis k + 1, and neither axis is used on its own.
 */
export function mergeableAxes(roots: readonly Expr[], axes: readonly Index[]): boolean[] {
  const mergeable = axes.slice(1).map(() => true);
  const used = new Map<Expr, number>(axes.map((a, k) => [a, k]));
  const check = (coefficients: readonly number[]): void => {
    for (let k = 0; k + 1 < axes.length; k++)
      if (coefficients[k] !== coefficients[k + 1]! * axes[k + 1]!.extent) mergeable[k] = false;
  };
  const usesOf = (e: Expr): void => {
    const coefficients = axes.map(() => 0);
    for (const [t, c] of affineParts(e).terms) {
      const k = used.get(t);
      if (k !== undefined) coefficients[k] = c;
    }
    check(coefficients);
  };
  visitAll(roots, (e) => {
    // An axis enters an expression inside an affine sum, or bare as a child of something else.
    if (e.kind === "affine") usesOf(e);
    else for (const child of childrenOf(e)) if (child.kind === "index" && used.has(child)) usesOf(child);
  });
  for (const root of roots) if (root.kind === "index") usesOf(root);
  return mergeable;
}
