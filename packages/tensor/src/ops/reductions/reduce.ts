/**
 * How reductions run. A reduction is a monoid: what one element contributes, how two states merge, and the state of
 * nothing. Long axes are cut into partial results in one or more passes; short ones are folded where they are used.
 */
import type { DType } from "../../dtype.js";
import type { Expr } from "../../expr/expr.js";
import * as e from "../../expr/expr.js";
import type { LowerBuilder } from "../../op.js";
import { numel, type Shape } from "../../shape.js";
import { reindex } from "../views/reshape.js";

type States = readonly Expr[];

export interface Reduction {
  /** Storage of each state variable in partial results. */
  readonly types: readonly DType[];
  readonly init: States;
  /** State of the single element at an index. */
  readonly element: (at: readonly Expr[]) => States;
  /** Associative up to rounding. */
  readonly merge: (a: States, b: States) => States;
  /** Long folds are summed in blocks, which bounds the growth of rounding errors. */
  readonly blocked?: boolean;
}

/** Axes that are adjacent and alike, seen as one. */
interface Group {
  readonly extent: number;
  readonly reduced: boolean;
}

/** What is left to reduce: an array of states. */
interface Level {
  readonly groups: readonly Group[];
  readonly get: (at: readonly Expr[]) => States;
}

/** Extents up to this are folded by one invocation. */
export const shortAxis = 128;

/**
 * Plans the reduction of an array of `shape` along `axes` and launches the passes that store partial results.
 * Returns the final states at an index over the kept axes (in order, extents of 1 for reduced axes left out).
 */
export function reduce(
  b: LowerBuilder,
  shape: Shape,
  axes: readonly number[],
  r: Reduction,
): (kept: readonly Expr[]) => States {
  if (numel(shape) === 0) return () => r.init;
  let level = grouped(shape, axes, r);
  for (;;) {
    const split = chooseSplit(b, level);
    if (!split) break;
    level = pass(b, level, split, r);
  }
  const { groups, get } = level;
  const keptShape = shape.filter((_, i) => !axes.includes(i));
  const keptGroups = groups.flatMap((g) => (g.reduced ? [] : [g.extent]));
  return (kept) => {
    const outer = reindex(kept, keptShape, keptGroups);
    const at = new Array<Expr>(groups.length);
    groups.forEach((g, k) => {
      if (!g.reduced) at[k] = outer.shift()!;
    });
    return foldGroups(groups, 0, at, get, r);
  };
}

/** Merges adjacent axes of the same kind; extents of 1 vanish. */
function grouped(shape: Shape, axes: readonly number[], r: Reduction): Level {
  const members: { axes: number[]; reduced: boolean }[] = [];
  shape.forEach((d, axis) => {
    if (d === 1) return;
    const reduced = axes.includes(axis);
    const last = members.at(-1);
    if (last && last.reduced === reduced) last.axes.push(axis);
    else members.push({ axes: [axis], reduced });
  });
  const extents = members.map((m) => m.axes.map((a) => shape[a]!));
  const get = (at: readonly Expr[]): States => {
    const full: Expr[] = shape.map(() => e.i32(0));
    members.forEach((m, k) => {
      const parts = m.axes.length === 1 ? [at[k]!] : e.unflatten(at[k]!, extents[k]!);
      m.axes.forEach((a, n) => {
        full[a] = parts[n]!;
      });
    });
    return r.element(full);
  };
  const groups = members.map((m, k) => ({ extent: numel(extents[k]!), reduced: m.reduced }));
  return { groups, get };
}

interface Split {
  /** Which group is cut. */
  readonly group: number;
  readonly chunks: number;
  /** Neighbouring elements that a chunk sums side by side, so that vectors and memory transactions are filled. */
  readonly lanes: number;
}

/** The next pass, or nothing when the rest may be folded in one go. */
function chooseSplit(b: LowerBuilder, { groups }: Level): Split | undefined {
  const size = (gs: readonly Group[]): number => numel(gs.map((g) => g.extent));
  const reduced = groups.filter((g) => g.reduced);
  const outs = size(groups.filter((g) => !g.reduced));
  const total = size(reduced);
  if (total <= shortAxis) return undefined;
  const group = groups.findLastIndex((g) => g.reduced);
  const extent = groups[group]!.extent;
  const inner = size(groups.slice(group + 1));
  const { vectorWidth: width, foldRows, cacheElements, parallelism } = b.limits;
  // Many outputs side by side keep the device busy and read neighbouring memory: one pass will do, as long as a core's
  // cache holds the lines that neighbouring vectors share.
  if (reduced.length === 1 && inner >= width && outs >= parallelism && extent <= foldRows) return undefined;
  const lanes = inner >= width || extent < 2 * width ? 1 : Math.ceil(width / inner);
  const rest = size(groups.filter((_, k) => k !== group)) * lanes;
  const wanted = Math.max(
    Math.ceil(parallelism / rest),
    // A chunk is walked once per vector of lanes.
    Math.ceil((extent * inner) / cacheElements),
  );
  const chunks = Math.max(1, Math.min(wanted, Math.floor(extent / (lanes * 64))));
  // A lone short axis among several reduced ones is folded whole; the others follow.
  return { group, chunks, lanes };
}

/** Stores partial states: each folds every `lanes`-th element of its chunk. */
function pass(b: LowerBuilder, level: Level, { group, chunks, lanes }: Split, r: Reduction): Level {
  const { groups, get } = level;
  const extent = groups[group]!.extent;
  const parts = chunks * lanes;
  const steps = Math.floor(extent / parts);
  const rest = extent - steps * parts;
  const extents = groups.map((g) => g.extent);
  const shape = extents.toSpliced(group, 1, chunks, lanes);
  const temps = r.types.map((t) => b.temp(t, shape));
  b.map(temps, shape, (at) => {
    const [chunk, lane] = [at[group]!, at[group + 1]!];
    const elementAt = (position: Expr): States => get(at.toSpliced(group, 2, position));
    const start = e.add(e.mul(chunk, e.i32(steps * lanes)), lane);
    let state = foldBlocked(steps, (i) => elementAt(e.add(start, e.mul(i, e.i32(lanes)))), r);
    if (rest > 0) {
      const p = e.add(e.mul(chunk, e.i32(lanes)), lane);
      const extra = elementAt(e.min(e.add(p, e.i32(steps * parts)), e.i32(extent - 1)));
      const inside = e.lt(p, e.i32(rest));
      state = r.merge(
        state,
        extra.map((x, k) => e.select(inside, x, r.init[k]!)),
      );
    }
    return state;
  });
  // One part left means that the group is done.
  const left =
    parts === 1 ? groups.toSpliced(group, 1) : groups.with(group, { extent: parts, reduced: true });
  const views = temps.map((t) =>
    b.view(
      t,
      left.map((g) => g.extent),
    ),
  );
  return merged({ groups: left, get: (at) => views.map((v) => v.at(at)) });
}

/** A group that vanished leaves neighbours of one kind: join them. */
function merged(level: Level): Level {
  const { groups, get } = level;
  const at = groups.findIndex((g, k) => k > 0 && g.reduced === groups[k - 1]!.reduced);
  if (at < 0) return level;
  const [a, c] = [groups[at - 1]!, groups[at]!];
  const joined = groups.toSpliced(at - 1, 2, { extent: a.extent * c.extent, reduced: a.reduced });
  return merged({
    groups: joined,
    get: (index) => get(index.toSpliced(at - 1, 1, ...e.unflatten(index[at - 1]!, [a.extent, c.extent]))),
  });
}

function foldGroups(
  groups: readonly Group[],
  from: number,
  at: Expr[],
  get: Level["get"],
  r: Reduction,
): States {
  const k = groups.findIndex((g, i) => i >= from && g.reduced);
  if (k < 0) return get(at);
  return foldBlocked(groups[k]!.extent, (i) => foldGroups(groups, k + 1, at.with(k, i), get, r), r);
}

/** Merges the states at 0 … count − 1, in blocks of about √count where the reduction asks for it. */
export function foldBlocked(count: number, at: (i: Expr) => States, r: Reduction): States {
  const step = (offset: (i: Expr) => Expr) => (i: Expr, s: States) => r.merge(s, at(offset(i)));
  if (!r.blocked || count <= 16)
    return e.fold(
      count,
      r.init,
      step((i) => i),
    );
  const size = 1 << Math.ceil(Math.log2(Math.sqrt(count)));
  const blocks = Math.floor(count / size);
  const sums = e.fold(blocks, r.init, (j, s) =>
    r.merge(
      s,
      e.fold(
        size,
        r.init,
        step((i) => e.add(e.mul(j, e.i32(size)), i)),
      ),
    ),
  );
  const tail = count - blocks * size;
  return tail === 0
    ? sums
    : r.merge(
        sums,
        e.fold(
          tail,
          r.init,
          step((i) => e.add(i, e.i32(blocks * size))),
        ),
      );
}
