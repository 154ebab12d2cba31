/** From a body of expressions to a MapKernel: axes merged, slots numbered, a key that equal kernels share. */
import { mergeableAxes, visitAll } from "../expr/analyze.js";
import { i32, index, unflatten, type Expr, type Index, type Slot } from "../expr/expr.js";
import { numel } from "../shape.js";
import type { MapKernel } from "../program.js";

export interface Store {
  readonly slot: Slot;
  readonly position: Expr;
  readonly value: Expr;
}

/** Builds the kernel that evaluates `body` at every index of `shape`. The body is pure: it may be run twice. */
export function mapKernel(
  shape: readonly number[],
  body: (at: readonly Expr[]) => readonly Store[],
): MapKernel {
  let axes: Index[] = [];
  const fresh = (extents: readonly number[]): Expr[] => {
    axes = [];
    return extents.map((extent) => {
      if (extent === 1) return i32(0);
      const axis = index(extent);
      axes.push(axis);
      return axis;
    });
  };
  let stores = body(fresh(shape));
  const joins = mergeableAxes(
    stores.flatMap((s) => [s.position, s.value]),
    axes,
  );
  if (joins.some(Boolean)) {
    // Group the extents (of axes longer than 1) and run the body again on the unflattened group indices.
    const groups: number[][] = [];
    axes.forEach((axis, k) =>
      k > 0 && joins[k - 1] ? groups.at(-1)!.push(axis.extent) : groups.push([axis.extent]),
    );
    const merged = fresh(groups.map(numel));
    const parts = groups.flatMap((extents, g) => unflatten(merged[g]!, extents));
    let next = 0;
    stores = body(shape.map((extent) => (extent === 1 ? i32(0) : parts[next++]!)));
  }
  const written = new Set(stores.map((s) => s.slot));
  const reads = new Set<Slot>();
  visitAll(
    stores.flatMap((s) => [s.position, s.value]),
    (e) => {
      if (e.kind === "load" && !written.has(e.slot)) reads.add(e.slot);
    },
  );
  return {
    family: "map",
    axes,
    reads: [...reads],
    outputs: stores.map((s) => ({ slot: s.slot, index: s.position, value: s.value })),
  };
}

/**
 * A text that two kernels share exactly when they compute the same: nodes are numbered in the order of a
 * depth-first walk, slots by their binding.
 */
export function keyOf(kernel: MapKernel): string {
  const numbers = new Map<object, number>();
  const slots = new Map<Slot, number>();
  for (const s of [...kernel.reads, ...kernel.outputs.map((o) => o.slot)]) slots.set(s, slots.size);
  const text: string[] = [...slots.keys()].map((s) => s.dtype);
  const visit = (e: Expr): number => {
    const known = numbers.get(e);
    if (known !== undefined) return known;
    let line: string;
    switch (e.kind) {
      case "const":
        line = `c${e.type}${Object.is(e.value, -0) ? "-0" : e.value}`;
        break;
      case "index":
        line = `i${e.extent}`;
        break;
      case "affine":
        line = `a${e.terms.map(([t, c]) => `${visit(t)}*${c}`).join("+")}+${e.offset}`;
        break;
      case "load":
        line = `l${slots.get(e.slot)}@${visit(e.index)}`;
        break;
      case "unary":
        line = `u${e.fn} ${visit(e.x)}`;
        break;
      case "binary":
        line = `b${e.fn} ${visit(e.a)},${visit(e.b)}`;
        break;
      case "select":
        line = `s${visit(e.cond)},${visit(e.a)},${visit(e.b)}`;
        break;
      case "cast":
        line = `t${e.type} ${visit(e.x)}`;
        break;
      case "bitcast":
        line = `k${e.type} ${visit(e.x)}`;
        break;
      case "state":
        line = `v${numbers.get(e.fold)}.${e.k}`;
        break;
      case "foldResult": {
        if (!numbers.has(e.fold)) {
          const init = e.fold.init.map(visit);
          const at = text.length;
          numbers.set(e.fold, at);
          text.push(`f${e.fold.index.extent}(${init})`);
          numbers.set(e.fold.index, text.push(`j${at}`) - 1);
          text.push(`n${at}(${e.fold.next.map(visit)})`);
        }
        line = `r${numbers.get(e.fold)}.${e.k}`;
        break;
      }
    }
    numbers.set(e, text.push(line) - 1);
    return text.length - 1;
  };
  kernel.axes.forEach((axis) => numbers.set(axis, text.push(`x${axis.extent}`) - 1));
  const outs = kernel.outputs.map((o) => `o${slots.get(o.slot)}@${visit(o.index)}=${visit(o.value)}`);
  return `map:${kernel.reads.length}:${[...text, ...outs].join(";")}`;
}
