/** What the three convolution families share: parameters, sizes, the place of a tap, and when a convolution is a matrix product. */
import { add, and, type Expr, ge, i32, lt, mul } from "../expr/expr.js";
import type { Shape } from "../shape.js";
import type { ParamsOf } from "./family.js";
import { type GemmParams, product } from "./gemm.js";

export const convParams = {
  batch: "number",
  h: "number",
  w: "number",
  inC: "number",
  outC: "number",
  kh: "number",
  kw: "number",
  strideH: "number",
  strideW: "number",
  dilationH: "number",
  dilationW: "number",
  padTop: "number",
  padLeft: "number",
  outH: "number",
  outW: "number",
  groups: "number",
} as const;

export type ConvParams = ParamsOf<typeof convParams>;

export const imageShape = (p: ConvParams): Shape => [p.batch, p.h, p.w, p.inC];
export const weightShape = (p: ConvParams): Shape => [p.kh, p.kw, p.inC / p.groups, p.outC];
export const outputShape = (p: ConvParams): Shape => [p.batch, p.outH, p.outW, p.outC];

/** Channels of one group. */
export const perGroup = (p: ConvParams): { inG: number; outG: number } => ({
  inG: p.inC / p.groups,
  outG: p.outC / p.groups,
});

/** A multiplication and an addition for every output, tap and input channel; those with zeros of the padding count too. */
export const convFlops = (p: ConvParams): number =>
  2 * p.batch * p.outH * p.outW * p.outC * p.kh * p.kw * perGroup(p).inG;

export const times = (i: Expr, n: number): Expr => mul(i, i32(n));
export const inRange = (i: Expr, extent: number): Expr => and(ge(i, i32(0)), lt(i, i32(extent)));

/** The pixel that a window's tap falls on. */
export const tapAt = (p: ConvParams, oy: Expr, ox: Expr, ky: Expr, kx: Expr): { y: Expr; z: Expr } => ({
  y: add(add(times(oy, p.strideH), times(ky, p.dilationH)), i32(-p.padTop)),
  z: add(add(times(ox, p.strideW), times(kx, p.dilationW)), i32(-p.padLeft)),
});

/** A window of one pixel that steps over every pixel: the image is a matrix already. */
export const isPointwise = (p: ConvParams): boolean =>
  p.kh === 1 &&
  p.kw === 1 &&
  p.strideH === 1 &&
  p.strideW === 1 &&
  p.padTop === 0 &&
  p.padLeft === 0 &&
  p.outH === p.h &&
  p.outW === p.w;

/** The matrix product of pixels and weights that a pointwise convolution in one group is. */
export const asProduct = (p: ConvParams): GemmParams | undefined =>
  isPointwise(p) && p.groups === 1 ? product(p.batch * p.h * p.w, p.outC, p.inC) : undefined;

/** The same of its input gradient. */
export const inputGradAsProduct = (p: ConvParams): GemmParams | undefined =>
  isPointwise(p) && p.groups === 1
    ? product(p.batch * p.h * p.w, p.inC, p.outC, { transB: true })
    : undefined;

/** Groups of so few channels leave most of a tile empty. What a tile needs is the backend's to say. */
export const isNarrow = (p: ConvParams, channels: number, wanted: number): boolean =>
  p.groups > 1 && channels < wanted;

export interface ConvolutionOptions {
  readonly stride?: readonly [number, number];
  readonly dilation?: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly padding?: readonly [number, number, number, number];
  readonly groups?: number;
}

/** Parameters from what a user would say. */
export function convolution(
  batch: number,
  [h, w]: readonly [number, number],
  [inC, outC]: readonly [number, number],
  [kh, kw]: readonly [number, number],
  more: ConvolutionOptions = {},
): ConvParams {
  const [strideH, strideW] = more.stride ?? [1, 1];
  const [dilationH, dilationW] = more.dilation ?? [1, 1];
  const [padTop, padLeft, bottom, right] = more.padding ?? [0, 0, 0, 0];
  const out = (size: number, pads: number, kernel: number, dilation: number, stride: number): number =>
    Math.floor((size + pads - (kernel - 1) * dilation - 1) / stride) + 1;
  return {
    ...{ batch, h, w, inC, outC, kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft },
    outH: out(h, padTop + bottom, kh, dilationH, strideH),
    outW: out(w, padLeft + right, kw, dilationW, strideW),
    groups: more.groups ?? 1,
  };
}

const around = { padding: [1, 1, 1, 1] } as const;
const square = (
  batch: number,
  size: number,
  channels: readonly [number, number],
  k: number,
  more: ConvolutionOptions = {},
): ConvParams => convolution(batch, [size, size], channels, [k, k], more);

/** Convolutions for tests: see `Samples`. */
export const awkward: readonly ConvParams[] = [
  square(2, 9, [16, 16], 3, { ...around, stride: [2, 2] }),
  square(2, 9, [16, 16], 3, { ...around, stride: [2, 2], groups: 4 }),
  square(1, 1, [1, 1], 1),
  convolution(2, [5, 7], [3, 5], [3, 3], around),
  convolution(2, [5, 7], [3, 16], [3, 3], around),
  square(2, 8, [4, 8], 3, around),
  square(3, 8, [16, 16], 3, around),
  convolution(1, [9, 6], [5, 12], [3, 3], { ...around, stride: [2, 2] }),
  convolution(2, [9, 6], [4, 8], [3, 3], { padding: [0, 0, 1, 1], stride: [2, 2] }),
  convolution(2, [9, 11], [5, 7], [3, 2], { padding: [2, 0, 1, 1], stride: [2, 3] }),
  square(1, 10, [3, 5], 3, { padding: [2, 2, 2, 2], dilation: [2, 2] }),
  square(2, 9, [4, 4], 3, { padding: [2, 2, 2, 2], dilation: [2, 2] }),
  convolution(2, [12, 9], [4, 6], [3, 3], { padding: [1, 3, 2, 0], dilation: [1, 3], stride: [3, 1] }),
  convolution(1, [10, 9], [4, 6], [3, 3], { padding: [2, 2, 2, 2], dilation: [2, 2], stride: [3, 3] }),
  square(1, 6, [2, 3], 2, { stride: [4, 4] }),
  square(1, 12, [3, 8], 4, { stride: [4, 4] }),
  square(1, 9, [3, 3], 3, { dilation: [2, 2], stride: [2, 2] }),
  square(2, 6, [8, 8], 1),
  square(3, 7, [8, 16], 1),
  convolution(2, [8, 7], [6, 10], [1, 1], { stride: [2, 2] }),
  square(2, 7, [16, 32], 1, { stride: [2, 2] }),
  convolution(2, [6, 5], [4, 4], [3, 3], { ...around, groups: 4 }),
  convolution(2, [6, 5], [8, 8], [3, 3], { ...around, groups: 8 }),
  convolution(1, [6, 5], [6, 9], [3, 3], { ...around, groups: 3 }),
  convolution(2, [6, 5], [6, 12], [3, 3], { ...around, groups: 3, stride: [2, 2] }),
  square(2, 8, [16, 24], 3, { ...around, groups: 2, stride: [2, 2] }),
  convolution(1, [7, 6], [32, 32], [3, 3], { ...around, groups: 2, stride: [2, 2] }),
  square(2, 5, [16, 24], 1, { groups: 2 }),
  square(1, 3, [2, 2], 5, { padding: [3, 3, 3, 3] }),
  square(1, 3, [4, 4], 3, { padding: [3, 3, 3, 3] }),
  square(1, 4, [24, 40], 5, { padding: [2, 2, 2, 2] }),
  convolution(1, [13, 11], [3, 64], [7, 7], { padding: [3, 3, 3, 3], stride: [2, 2] }),
  square(1, 20, [3, 12], 7, { padding: [3, 3, 3, 3], stride: [2, 2] }),
  square(2, 4, [33, 65], 3, around),
  square(9, 2, [66, 68], 3, around),
  square(4, 4, [128, 128], 3, around),
  square(1, 9, [17, 15], 2, { stride: [3, 3] }),
  square(8, 14, [32, 32], 3, around),
  square(3, 4, [192, 24], 3, around),
  square(2, 40, [24, 9], 3, around),
  convolution(1, [70, 66], [20, 8], [5, 5], { padding: [2, 2, 2, 2], stride: [2, 1] }),
  convolution(2, [5, 2], [8, 8], [3, 3], around),
  convolution(3, [9, 1], [8, 12], [3, 1], { padding: [1, 0, 1, 0] }),
];

/** Layers of ResNets on images of 28 and 32 pixels, and the first one's 3 channels. */
export const usual: readonly ConvParams[] = [
  square(128, 28, [1, 16], 3, around),
  square(128, 28, [16, 16], 3, around),
  square(128, 28, [16, 32], 3, { ...around, stride: [2, 2] }),
  square(128, 28, [16, 32], 1, { stride: [2, 2] }),
  square(128, 14, [32, 32], 3, around),
  square(128, 7, [64, 64], 3, around),
  square(128, 4, [128, 128], 3, around),
  square(32, 32, [3, 64], 3, around),
  square(32, 32, [64, 64], 3, around),
  square(32, 32, [64, 128], 3, { ...around, stride: [2, 2] }),
  square(32, 32, [64, 128], 1, { stride: [2, 2] }),
  square(32, 16, [256, 64], 1),
  square(32, 16, [128, 128], 3, around),
  square(32, 8, [256, 256], 3, around),
  square(32, 4, [512, 512], 3, around),
];
