/**
 * Interpolation along one axis. Pixel j covers [j, j + 1]; output o samples the input at c = (o + ½) · in / out, with
 * weights k((j + ½ − c) / f) over the pixels near it, normalised to sum to 1; pixels outside the image have none. The
 * kernel k is a box, a triangle or Keys' cubic with a = −½ (Keys 1981); f is 1, or in / out where antialiasing widens
 * the kernel. Positions are ratios of integers, so they are computed exactly.
 */
import { ShapeError } from "../../errors.js";
import {
  add,
  and,
  cast,
  div,
  type Expr,
  f32,
  fold,
  ge,
  i32,
  idiv,
  lt,
  max,
  min,
  mul,
  select,
  sub,
  unary,
} from "../../expr/expr.js";
import type { LowerBuilder } from "../../op.js";

export type ResizeMethod = "nearest" | "bilinear" | "bicubic";

export const resizeMethods: readonly ResizeMethod[] = ["nearest", "bilinear", "bicubic"];

export interface AxisSpec {
  readonly from: number;
  readonly to: number;
  readonly method: ResizeMethod;
  readonly antialias: boolean;
}

/** Half the width of the kernel k; "nearest" takes the one pixel that holds c. */
export const supportOf = (method: ResizeMethod): number => (method === "bicubic" ? 2 : 1);

/** k(d), in plain numbers. */
export function kernelAt(method: ResizeMethod, d: number): number {
  const a = Math.abs(d);
  if (method === "bilinear") return Math.max(0, 1 - a);
  if (a < 1) return (1.5 * a - 2.5) * a * a + 1;
  return a < 2 ? ((-0.5 * a + 2.5) * a - 4) * a + 2 : 0;
}

/** k(d), as an expression. */
export function kernelExpr(method: ResizeMethod, d: Expr): Expr {
  const a = unary("abs", d);
  if (method === "bilinear") return max(f32(0), sub(f32(1), a));
  const horner = (...c: readonly number[]): Expr =>
    c.slice(1).reduce((e, x) => add(mul(e, a), f32(x)), f32(c[0]!) as Expr);
  const inner = horner(1.5, -2.5, 0, 1);
  const outer = horner(-0.5, 2.5, -4, 2);
  return select(lt(a, f32(1)), inner, select(lt(a, f32(2)), outer, f32(0)));
}

/** The weights of every input pixel for every output, for the references. */
export function denseWeights({ from, to, method, antialias }: AxisSpec): number[][] {
  const f = antialias ? Math.max(1, from / to) : 1;
  return Array.from({ length: to }, (_, o) => {
    const c = ((o + 0.5) * from) / to;
    if (method === "nearest") {
      const nearest = Math.floor(((2 * o + 1) * from) / (2 * to));
      return Array.from({ length: from }, (__, j) => Number(j === nearest));
    }
    const row = Array.from({ length: from }, (__, j) => kernelAt(method, (j + 0.5 - c) / f));
    const total = row.reduce((s, w) => s + w, 0);
    return row.map((w) => w / total);
  });
}

/** ⌊(numerator of values ≥ least) / divisor⌋, whatever its sign. */
function floorDiv(numerator: Expr, least: number, divisor: number): Expr {
  const lift = Math.max(0, Math.ceil(-least / divisor));
  return sub(idiv(add(numerator, i32(lift * divisor)), divisor), i32(lift));
}

/** One axis of a resize in kernels. */
export interface Axis {
  /** Input pixels that an output may weigh. */
  readonly taps: number;
  /** The first of them; it and those after may lie outside the image, and then weigh nothing. */
  start(o: Expr): Expr;
  /** Weight of tap t, 0 ≤ t < taps, of an output. */
  weight(o: Expr, t: Expr): Expr;
  /** Outputs that an input pixel may be weighed by. */
  readonly covers: number;
  /** The first of them; it and those after may lie outside the output. */
  first(i: Expr): Expr;
}

/** Plans an axis, and stores its weights. */
export function planAxis(b: LowerBuilder, spec: AxisSpec): Axis {
  const { from, to, method } = spec;
  const twice = (e: Expr): Expr => add(mul(e, i32(2)), i32(1));
  if (method === "nearest")
    return {
      taps: 1,
      start: (o) => idiv(mul(twice(o), i32(from)), 2 * to),
      weight: () => f32(1),
      covers: Math.ceil(to / from),
      first: (i) => add(floorDiv(sub(mul(i, i32(2 * to)), i32(from + 1)), -from - 1, 2 * from), i32(1)),
    };
  const s = supportOf(method);
  const wide = spec.antialias && from > to;
  // The support s·f in units of 1 / (2·to) input pixels, and in units of 1 / (2·from) output pixels.
  const reach = 2 * s * (wide ? from : to);
  const taps = Math.ceil(reach / to);
  const start = (o: Expr): Expr =>
    add(floorDiv(sub(mul(twice(o), i32(from)), i32(reach + to)), from - reach - to, 2 * to), i32(1));
  const raw = (o: Expr, t: Expr): Expr => {
    const j = add(start(o), t);
    const distance = sub(mul(twice(j), i32(to)), mul(twice(o), i32(from)));
    const value = kernelExpr(method, div(cast(distance, "f32"), f32(2 * (wide ? from : to))));
    return select(and(ge(j, i32(0)), lt(j, i32(from))), value, f32(0));
  };
  const table = b.temp("float32", [to, taps]);
  b.map([table], [to, taps], ([o, t]) => {
    const [total] = fold(taps, [f32(0)], (u, [sum]) => [add(sum!, raw(o!, u))]);
    return [div(raw(o!, t!), total!)];
  });
  const weights = b.view(table, [to, taps]);
  return {
    taps,
    start,
    weight: (o, t) => weights.at([o, t]),
    covers: Math.ceil(reach / from),
    first: (i) =>
      add(floorDiv(sub(mul(twice(i), i32(to)), i32(reach + from)), to - reach - from, 2 * from), i32(1)),
  };
}

/** Loops of up to this many steps are written out. */
const UNROLLED = 4;

/** Σ over 0 … count − 1 of a term. */
export function total(count: number, term: (t: Expr) => Expr): Expr {
  if (count > UNROLLED) return fold(count, [f32(0)], (t, [sum]) => [add(sum!, term(t))])[0]!;
  let sum = term(i32(0));
  for (let t = 1; t < count; t++) sum = add(sum, term(i32(t)));
  return sum;
}

const clampTo = (e: Expr, extent: number): Expr => min(max(e, i32(0)), i32(extent - 1));

/** An output of the axis, from the input pixels' values. */
export const gatherAlong = (axis: Axis, { from }: AxisSpec, o: Expr, value: (i: Expr) => Expr): Expr =>
  total(axis.taps, (t) => mul(axis.weight(o, t), value(clampTo(add(axis.start(o), t), from))));

/** The adjoint: an input pixel's share, from the outputs' values. */
export const scatterAlong = (axis: Axis, { to }: AxisSpec, i: Expr, value: (o: Expr) => Expr): Expr =>
  total(axis.covers, (u) => {
    const o = add(axis.first(i), u);
    const at = clampTo(o, to);
    const t = sub(i, axis.start(at));
    const weighed = and(and(ge(o, i32(0)), lt(o, i32(to))), and(ge(t, i32(0)), lt(t, i32(axis.taps))));
    return select(weighed, mul(axis.weight(at, clampTo(t, axis.taps)), value(at)), f32(0));
  });

export function checkMethod(op: string, method: string): void {
  if (!resizeMethods.includes(method as ResizeMethod))
    throw new ShapeError(op, `method "${method}" is unknown`, resizeMethods.map((m) => `"${m}"`).join(", "));
}
