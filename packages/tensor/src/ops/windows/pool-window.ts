/** What the two kinds of pooling share: their parameters, and walks over windows in kernels. */
import { ShapeError } from "../../errors.js";
import { add, type Expr, fold, i32, max, min, mul } from "../../expr/expr.js";
import type { Aval, Sampler } from "../../op.js";
import { type Shape, sameShape, show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { checkImages, type Pair, type Padding, sampleWindow, type Window, windowOf } from "./window.js";

export interface PoolOptions {
  /** Steps between windows; the window's own size by default. */
  readonly stride?: Pair;
  /** Default "valid". */
  readonly padding?: Padding;
}

export interface PoolParams extends Window {
  readonly h: number;
  readonly w: number;
}

export const pooledShape = (x: Shape, p: PoolParams): Shape => [x[0]!, p.outH, p.outW, x[3]!];
export const imageShape = (y: Shape, p: PoolParams): Shape => [y[0]!, p.h, p.w, y[3]!];

/** Resolves the options against an image batch. */
export function poolParams(
  op: string,
  x: Tensor,
  window: Pair,
  { stride = window, padding = "valid" }: PoolOptions,
): PoolParams {
  checkImages(op, x);
  const [h, w] = [x.shape[1]!, x.shape[2]!];
  const [kh, kw]: readonly [number, number] = typeof window === "number" ? [window, window] : window;
  const resolved = windowOf(op, [h, w], [kh, kw], { stride, padding });
  const lastRow = (resolved.outH - 1) * resolved.strideH - resolved.padTop;
  const lastColumn = (resolved.outW - 1) * resolved.strideW - resolved.padLeft;
  if (resolved.padTop >= kh || resolved.padLeft >= kw || lastRow >= h || lastColumn >= w)
    throw new ShapeError(
      op,
      `padding ${JSON.stringify(padding)} leaves a ${kh} × ${kw} window of ${show(x.shape)} without any pixel`,
      "pad by less than the window",
    );
  return { ...resolved, h, w };
}

export function checkPooled(op: string, what: string, x: Aval, wanted: Shape): void {
  checkImages(op, x, what);
  if (!sameShape(x.shape, wanted))
    throw new ShapeError(op, `${what} has shape ${show(x.shape)}, ${show(wanted)} is wanted`);
}

/** Windows of up to this many taps are written out, larger ones loop. */
const UNROLLED = 9;

/** Folds over the taps of a window in row-major order. */
export function overTaps(
  p: Window,
  init: readonly Expr[],
  body: (ky: Expr, kx: Expr, state: readonly Expr[]) => readonly Expr[],
): readonly Expr[] {
  if (p.kh * p.kw > UNROLLED)
    return fold(p.kh, init, (ky, outer) => fold(p.kw, outer, (kx, state) => body(ky, kx, state)));
  let state = init;
  for (let ky = 0; ky < p.kh; ky++) for (let kx = 0; kx < p.kw; kx++) state = body(i32(ky), i32(kx), state);
  return state;
}

/** Row (or column) of a tap in the image; may lie outside. */
export const tapAt = (o: Expr, k: Expr, stride: number, before: number): Expr =>
  add(add(mul(o, i32(stride)), k), i32(-before));

export const clamp = (e: Expr, extent: number): Expr => min(max(e, i32(0)), i32(extent - 1));

export function samplePool(s: Sampler): { shape: number[]; params: PoolParams } {
  const { h, w, window } = sampleWindow(s, "pool", [1, 2, 3, 4], [1]);
  return { shape: [s.pick([1, 2]), h, w, s.pick([1, 3, 4, 5])], params: { ...window, h, w } };
}
