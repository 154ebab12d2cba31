/** The transpose of a walk over taps: the windows that cover a pixel. */
import { add, and, type Expr, fold, ge, gt, i32, idiv, lt, max, min, mul, sub } from "../../expr/expr.js";
import type { Window } from "./window.js";

/** Pixels covered by at most this many windows have them written out; otherwise the kernel loops. */
const UNROLLED = 9;

interface Cover {
  /** Index of a window along the axis, clamped to those that exist. */
  readonly window: Expr;
  /** Whether the window exists and covers the pixel. */
  readonly covers: Expr;
}

function coverAlong(
  pixel: Expr,
  k: Expr,
  stride: number,
  extent: number,
  before: number,
  out: number,
): Cover {
  const shifted = add(pixel, i32(before));
  const window = sub(idiv(shifted, stride), k);
  const tap = sub(shifted, mul(window, i32(stride)));
  return {
    window: min(max(window, i32(0)), i32(out - 1)),
    covers: and(and(ge(window, i32(0)), lt(window, i32(out))), gt(i32(extent), tap)),
  };
}

/**
 * Folds over the windows (dilation 1) that may cover the pixel (y, x), the last one first.
 * `body` gets a window's indices, always in range, and whether it does cover the pixel.
 */
export function overWindows(
  p: Window,
  y: Expr,
  x: Expr,
  init: Expr,
  body: (oy: Expr, ox: Expr, covers: Expr, state: Expr) => Expr,
): Expr {
  const [rows, columns] = [Math.ceil(p.kh / p.strideH), Math.ceil(p.kw / p.strideW)];
  const step = (j: Expr, i: Expr, state: Expr): Expr => {
    const row = coverAlong(y, j, p.strideH, p.kh, p.padTop, p.outH);
    const column = coverAlong(x, i, p.strideW, p.kw, p.padLeft, p.outW);
    return body(row.window, column.window, and(row.covers, column.covers), state);
  };
  if (rows * columns > UNROLLED)
    return fold(rows, [init], (j, outer) => fold(columns, outer, (i, [state]) => [step(j, i, state!)]))[0]!;
  let state = init;
  for (let j = 0; j < rows; j++) for (let i = 0; i < columns; i++) state = step(i32(j), i32(i), state);
  return state;
}
