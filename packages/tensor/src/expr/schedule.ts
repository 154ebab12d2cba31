/**
 * Orders an expression graph for a sequential machine: every expression is computed once, in the outermost loop
 * that it can be computed in. Code generators and the interpreter walk the same schedule.
 */
import { childrenOf, type Expr, type Fold } from "./expr.js";

/** Steps in order. */
export interface Block {
  readonly steps: (Expr | Loop)[];
}
/** Runs its body once per index, then takes over `fold.next` as the new state; the fold's results are later steps. */
export interface Loop {
  readonly kind: "loop";
  readonly fold: Fold;
  readonly body: Block;
  /** 1 for a loop that stands directly in the kernel. */
  readonly depth: number;
}

export interface Schedule {
  readonly top: Block;
  /** How many loops stand around the place where `e` is computed. */
  depthOf(e: Expr): number;
}

type Folds = ReadonlySet<Fold>;
const none: Folds = new Set();

/** Expressions reachable from the roots, children first. Iterative: chains may be longer than the call stack. */
export function postOrder(roots: readonly Expr[]): Expr[] {
  const order: Expr[] = [];
  const state = new Map<Expr, "open" | "done">();
  const stack: Expr[] = [...roots].reverse();
  while (stack.length > 0) {
    const e = stack.at(-1)!;
    if (state.get(e) === "done") stack.pop();
    else if (state.get(e) === "open") {
      state.set(e, "done");
      order.push(e);
      stack.pop();
    } else {
      state.set(e, "open");
      const children = childrenOf(e);
      for (let i = children.length - 1; i >= 0; i--) if (!state.has(children[i]!)) stack.push(children[i]!);
    }
  }
  return order;
}

export function schedule(roots: readonly Expr[]): Schedule {
  const order = postOrder(roots);
  const foldOf = new Map<Expr, Fold>();
  for (const e of order) if (e.kind === "foldResult") foldOf.set(e.fold.index, e.fold);

  const free = new Map<Expr, Folds>();
  const outer = new Map<Fold, Folds>();
  for (const e of order) {
    let folds = none;
    if (e.kind === "index" && foldOf.has(e)) folds = new Set([foldOf.get(e)!]);
    else if (e.kind === "state") folds = new Set([e.fold]);
    else for (const child of childrenOf(e)) folds = union(folds, free.get(child)!);
    if (e.kind === "foldResult") {
      folds = new Set([...folds].filter((f) => f !== e.fold));
      outer.set(e.fold, folds);
    }
    free.set(e, folds);
  }

  // A loop stands inside of every loop that its parts depend on, so the ones around an expression form a chain.
  const depths = new Map<Fold, number>();
  const depth = (fold: Fold): number => {
    let d = depths.get(fold);
    if (d === undefined) {
      d = 1 + Math.max(0, ...[...(outer.get(fold) ?? none)].map(depth));
      depths.set(fold, d);
    }
    return d;
  };
  const innermost = (folds: Folds): Fold | undefined => {
    let best: Fold | undefined;
    for (const f of folds) if (!best || depth(f) > depth(best)) best = f;
    return best;
  };

  const top: Block = { steps: [] };
  const bodies = new Map<Fold, Block>();
  const emitted = new Set<Fold>();
  const bodyOf = (fold: Fold | undefined): Block => {
    if (!fold) return top;
    let body = bodies.get(fold);
    if (!body) {
      body = { steps: [] };
      bodies.set(fold, body);
    }
    return body;
  };
  for (const e of order) {
    if (e.kind === "const" || e.kind === "index" || e.kind === "state") continue;
    const block = bodyOf(innermost(free.get(e)!));
    if (e.kind === "foldResult" && !emitted.has(e.fold)) {
      emitted.add(e.fold);
      block.steps.push({ kind: "loop", fold: e.fold, body: bodyOf(e.fold), depth: depth(e.fold) });
    }
    block.steps.push(e);
  }
  return {
    top,
    depthOf: (e) => {
      const fold = innermost(free.get(e) ?? none);
      return fold ? depth(fold) : 0;
    },
  };
}

function union(a: Folds, b: Folds): Folds {
  if (b.size === 0 || a === b) return a;
  if (a.size === 0) return b;
  if ([...b].every((f) => a.has(f))) return a;
  return new Set([...a, ...b]);
}

/** Whether a step is a loop. */
export const isLoop = (step: Expr | Loop): step is Loop => step.kind === "loop";
