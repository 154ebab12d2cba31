/** Windows that slide over the rows and columns of an image: the geometry that convolutions and poolings share. */
import { ShapeError } from "../../errors.js";
import type { Sampler } from "../../op.js";
import { show } from "../../shape.js";

/** One number for both directions, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

/**
 * Zeros around the image: "same" keeps ceil(extent / stride) positions, the odd pixel going to the bottom and right
 * (TensorFlow's rule); "valid" adds none; a number pads every side; [[top, bottom], [left, right]] names each.
 */
export type Padding =
  | "same"
  | "valid"
  | number
  | readonly [readonly [number, number], readonly [number, number]];

export interface WindowOptions {
  /** Steps between windows. */
  readonly stride?: Pair;
  /** Distance between the taps of a window. Default 1. */
  readonly dilation?: Pair;
  readonly padding?: Padding;
}

/** Everything about the windows, in numbers. The trailing padding is implied by the output's extents. */
export interface Window {
  readonly kh: number;
  readonly kw: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly outH: number;
  readonly outW: number;
}

function pairOf(op: string, what: string, value: Pair): readonly [number, number] {
  const pair: readonly [number, number] = typeof value === "number" ? [value, value] : value;
  if (pair.length !== 2 || pair.some((v) => !Number.isInteger(v) || v < 1))
    throw new ShapeError(op, `${what} ${JSON.stringify(value)} is not a whole number ≥ 1 or a pair of them`);
  return pair;
}

/** Padding before and after an axis, and the number of windows along it. */
function along(
  op: string,
  axis: "rows" | "columns",
  extent: number,
  k: number,
  stride: number,
  dilation: number,
  padding: Padding,
) {
  const reach = (k - 1) * dilation + 1;
  if (padding === "same") {
    const out = Math.ceil(extent / stride);
    const total = Math.max(0, (out - 1) * stride + reach - extent);
    return { before: Math.floor(total / 2), out };
  }
  const [before, after] =
    padding === "valid"
      ? [0, 0]
      : typeof padding === "number"
        ? [padding, padding]
        : padding[axis === "rows" ? 0 : 1];
  if (![before, after].every((v) => Number.isInteger(v) && v >= 0))
    throw new ShapeError(op, `padding ${JSON.stringify(padding)} is not made of whole numbers ≥ 0`);
  const out = Math.floor((extent + before + after - reach) / stride) + 1;
  if (out < 1)
    throw new ShapeError(
      op,
      `a window of ${reach} ${axis} does not fit in ${extent} ${axis} padded by ${before} + ${after}`,
      'pad more, or use padding "same"',
    );
  return { before, out };
}

/** Resolves options against an image of h × w pixels and a window of kh × kw taps. */
export function windowOf(
  op: string,
  [h, w]: readonly [number, number],
  [kh, kw]: readonly [number, number],
  { stride = 1, dilation = 1, padding = "valid" }: WindowOptions,
): Window {
  if (
    typeof padding === "string"
      ? padding !== "same" && padding !== "valid"
      : typeof padding !== "number" && padding.length !== 2
  )
    throw new ShapeError(
      op,
      `padding ${JSON.stringify(padding)} is unknown`,
      '"same", "valid", a number or [[top, bottom], [left, right]]',
    );
  // First, as the stride of a pool is its window where nothing else is said.
  pairOf(op, "window", [kh, kw]);
  const [strideH, strideW] = pairOf(op, "stride", stride);
  const [dilationH, dilationW] = pairOf(op, "dilation", dilation);
  const rows = along(op, "rows", h, kh, strideH, dilationH, padding);
  const columns = along(op, "columns", w, kw, strideW, dilationW, padding);
  return {
    kh,
    kw,
    strideH,
    strideW,
    dilationH,
    dilationW,
    padTop: rows.before,
    padLeft: columns.before,
    outH: rows.out,
    outW: columns.out,
  };
}

/** Checks that an image batch is float32 [B, H, W, C]. */
export function checkImages(
  op: string,
  x: { shape: readonly number[]; dtype: string },
  what = "input",
): void {
  if (x.shape.length !== 4)
    throw new ShapeError(op, `${what} of shape ${show(x.shape)} is not [batch, height, width, channels]`);
  if (x.dtype !== "float32")
    throw new ShapeError(op, `${what} is ${x.dtype}, float32 is wanted`, "cast it first");
}

/** Calls `visit(outRow, outColumn, inRow, inColumn, tapRow, tapColumn)` for every tap that lies inside the image. */
export function eachTap(
  g: Window,
  h: number,
  w: number,
  visit: (oy: number, ox: number, y: number, x: number, ky: number, kx: number) => void,
): void {
  for (let oy = 0; oy < g.outH; oy++)
    for (let ox = 0; ox < g.outW; ox++)
      for (let ky = 0; ky < g.kh; ky++)
        for (let kx = 0; kx < g.kw; kx++) {
          const y = oy * g.strideH - g.padTop + ky * g.dilationH;
          const x = ox * g.strideW - g.padLeft + kx * g.dilationW;
          if (y >= 0 && y < h && x >= 0 && x < w) visit(oy, ox, y, x, ky, kx);
        }
}

/** Options that fit an h × w image, for the tests. */
export function sampleWindow(
  s: Sampler,
  op: string,
  kernels: readonly number[],
  dilations: readonly number[],
) {
  const [kh, kw] = [s.pick(kernels), s.pick(kernels)];
  const [h, w] = [s.pick([1, 4, 5, 7, 8, 9]), s.pick([2, 3, 6, 8, 11])];
  const stride = s.pick<Pair>([1, 2, 3, [1, 2], [2, 1]]);
  const dilation = s.pick(dilations);
  const fits = h >= (kh - 1) * dilation + 1 && w >= (kw - 1) * dilation + 1;
  // Where every window must see a pixel, explicit padding has to stay below the window's size.
  const widest = op === "conv2d" ? 2 : Math.min(kh, kw) - 1;
  const explicit: Padding[] = [
    ...(widest >= 1 ? [1] : []),
    ...(widest >= 2
      ? [
          [
            [0, 1],
            [1, 2],
          ] as const,
        ]
      : []),
  ];
  const padding = fits ? s.pick<Padding>(["same", "valid", ...explicit]) : "same";
  return { h, w, window: windowOf(op, [h, w], [kh, kw], { stride, dilation, padding }) };
}
