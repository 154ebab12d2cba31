/** What the code generator must know of a map kernel before it writes code: dependencies, lanes, loop order, cost. */
import { affineParts, childrenOf, type Expr, type Fold, type Index } from "../../../expr/expr.js";
import type { MapKernel } from "../../../program.js";

/**
 * Which loop variables each expression depends on, as bit sets: one bit per axis; per fold one for its counter and
 * one for its states.
 */
export class Dependencies {
  private readonly bits = new Map<number, bigint>();
  private readonly memo = new Map<Expr, bigint>();
  private readonly folds = new Map<Fold, bigint>();
  private next = 0n;

  /** The bit of a loop variable. */
  bit(index: Index): bigint {
    return this.named(index.id);
  }
  /** The bit of a fold's states. */
  stateBit(fold: Fold): bigint {
    return this.named(-1 - fold.id);
  }
  of(e: Expr): bigint {
    let found = this.memo.get(e);
    if (found === undefined) {
      if (e.kind === "index") found = this.bit(e);
      else if (e.kind === "state") found = this.stateBit(e.fold);
      else if (e.kind === "foldResult") found = this.ofFold(e.fold);
      else {
        found = 0n;
        for (const child of childrenOf(e)) found |= this.of(child);
      }
      this.memo.set(e, found);
    }
    return found;
  }
  ofFold(fold: Fold): bigint {
    let found = this.folds.get(fold);
    if (found === undefined) {
      found = 0n;
      for (const e of [...fold.init, ...fold.next]) found |= this.of(e);
      found &= ~(this.bit(fold.index) | this.stateBit(fold));
      this.folds.set(fold, found);
    }
    return found;
  }
  /** The bit of `lane` and the state bits of every fold whose states then differ between lanes. */
  varying(lane: Index): bigint {
    let mask = this.bit(lane);
    for (let before = 0n; before !== mask; ) {
      before = mask;
      for (const [fold, bits] of this.folds) if (bits & mask) mask |= this.stateBit(fold);
    }
    return mask;
  }
  private named(id: number): bigint {
    let found = this.bits.get(id);
    if (found === undefined) {
      found = 1n << this.next++;
      this.bits.set(id, found);
    }
    return found;
  }
}

/** How an index moves from lane to lane: by a constant stride, or in no simple way (undefined). */
export function laneStride(
  index: Expr,
  lane: Index,
  deps: Dependencies,
  varying: bigint,
): number | undefined {
  let stride = 0;
  for (const [t, c] of affineParts(index).terms) {
    if (t === lane) stride = c;
    else if (deps.of(t) & varying) return undefined;
  }
  return stride;
}

/** A visit to each distinct node of a kernel, with the number of times it runs per element of the iteration space. */
export function visit(kernel: MapKernel, each: (e: Expr, times: number) => void): void {
  const seen = new Set<Expr>();
  const folds = new Set<Fold>();
  const walk = (e: Expr, times: number): void => {
    if (seen.has(e)) return;
    seen.add(e);
    each(e, times);
    if (e.kind !== "foldResult") {
      for (const child of childrenOf(e)) walk(child, times);
      return;
    }
    if (folds.has(e.fold)) return;
    folds.add(e.fold);
    for (const init of e.fold.init) walk(init, times);
    for (const next of e.fold.next) walk(next, times * e.fold.index.extent);
  };
  for (const o of kernel.outputs) {
    walk(o.value, 1);
    walk(o.index, 1);
  }
}

export interface LanePlan {
  readonly lane: Index;
  readonly varying: bigint;
  /** Estimated cost of an element, in instructions. */
  readonly cost: number;
  /** Lane-dependent instructions per step; decides how many vectors go through the body at once. */
  readonly size: number;
  readonly folds: boolean;
}

const GATHER = 6;

/** Costs of running a kernel with the lanes along one axis (undefined: no lanes at all). */
function planAlong(kernel: MapKernel, deps: Dependencies, lane: Index | undefined): LanePlan {
  const varying = lane ? deps.varying(lane) : 0n;
  let vector = 0;
  let scalar = 0;
  let size = 0;
  let folds = false;
  const memory = (index: Expr, bytes: number, times: number): void => {
    scalar += 2 * times;
    if (!lane) return;
    const stride = laneStride(index, lane, deps, varying);
    if (stride === 0) vector += 0.5 * times;
    else if (stride === 1) vector += (bytes === 1 ? 3 : 2) * times;
    // Far strides touch a cache line per lane.
    else vector += (stride === undefined ? GATHER + 4 : Math.abs(stride) > 16 ? GATHER + 2 : GATHER) * times;
  };
  visit(kernel, (e, times) => {
    if (e.kind === "const") return;
    const lanes = (deps.of(e) & varying) !== 0n;
    if (e.kind === "foldResult") {
      folds = true;
      return;
    }
    if (e.kind === "load") return memory(e.index, e.slot.dtype === "uint8" ? 1 : 4, times);
    const slow = e.kind === "binary" && (e.fn === "idiv" || e.fn === "imod");
    scalar += (slow ? 5 : 1) * times;
    if (!lanes) vector += 0.5 * times;
    else {
      vector += (slow ? 8 : 1) * times;
      size++;
    }
  });
  for (const o of kernel.outputs) memory(o.index, o.slot.dtype === "uint8" ? 1 : 4, 1);
  if (!lane) return { lane: kernel.axes.at(-1)!, varying, cost: scalar + 1, size: 0, folds };
  const whole = Math.floor(lane.extent / 4);
  const cost = (whole * (vector + 1) + (lane.extent % 4) * (scalar + 1) + 3) / lane.extent;
  return { lane, varying, cost, size, folds };
}

/** The axis along which four elements are computed at once; `undefined` lanes when none pays. */
export function chooseLanes(kernel: MapKernel, deps: Dependencies): LanePlan & { readonly vector: boolean } {
  let best: LanePlan & { vector: boolean } = { ...planAlong(kernel, deps, undefined), vector: false };
  // Innermost first, so that it wins ties.
  for (const axis of [...kernel.axes].reverse()) {
    if (axis.extent < 4) continue;
    const plan = planAlong(kernel, deps, axis);
    if (plan.cost < best.cost * 0.99) best = { ...plan, vector: true };
  }
  return best;
}

/** Lanes this many elements apart touch a cache line each. */
const FAR = 64;

/**
 * An axis along which some access moves by an element or a few while its lanes are far apart, as in a transposition:
 * the lanes' cache lines serve the next positions of that axis, if these are visited before too many other lanes.
 */
export function farAxis(
  kernel: MapKernel,
  deps: Dependencies,
  lane: Index,
  varying: bigint,
): Index | undefined {
  let found: Index | undefined;
  const look = (index: Expr): void => {
    const stride = laneStride(index, lane, deps, varying);
    if (stride === undefined || Math.abs(stride) < FAR) return;
    for (const [t, c] of affineParts(index).terms)
      if (Math.abs(c) <= 4 && t !== lane && kernel.axes.includes(t as Index)) found ??= t as Index;
  };
  visit(kernel, (e) => {
    if (e.kind === "load") look(e.index);
  });
  for (const o of kernel.outputs) look(o.index);
  return found;
}
