/** Single elements of a kernel's result in float64, from the definition of its family alone. */
import type { FamilyKernel } from "../program.js";
import type { ConvParams } from "../kernels/wgsl/products/conv-params.js";
import type { WeightGradParams } from "../kernels/wgsl/products/conv2d-weight-grad.js";
import type { GemmParams } from "../kernels/wgsl/products/gemm.js";

type Data = ArrayLike<number>;

/**
 * Element `at` of the result. A weight gradient leaves partial sums, whose shares are the kernel's own affair:
 * `at` is an element of their total.
 */
export function expectedAt(spec: FamilyKernel, a: Data, b: Data, at: number): number {
  const params = spec.params as never;
  switch (spec.family) {
    case "gemm":
      return gemmAt(params, a, b, at);
    case "conv2d":
      return convAt(params, a, b, at);
    case "conv2dInputGrad":
      return inputGradAt(params, a, b, at);
    case "conv2dWeightGrad":
      return weightGradAt(params, a, b, at);
    default:
      throw new Error(`internal: the family ${spec.family} has no check`);
  }
}

/** Results whose sum is the answer: 1, or the shares of a weight gradient. */
export const sharesOf = (spec: FamilyKernel): number =>
  spec.family === "conv2dWeightGrad" ? (spec.params as unknown as WeightGradParams).splits : 1;

function gemmAt(p: GemmParams, a: Data, b: Data, at: number): number {
  const { m, n, k } = p;
  const [row, column] = [Math.floor(at / n) % m, at % n];
  let [rest, startA, startB] = [Math.floor(at / (m * n)), 0, 0];
  for (let axis = p.batchShape.length - 1; axis >= 0; axis--) {
    const entry = rest % p.batchShape[axis]!;
    startA += entry * p.aStrides[axis]!;
    startB += entry * p.bStrides[axis]!;
    rest = Math.floor(rest / p.batchShape[axis]!);
  }
  let sum = 0;
  for (let l = 0; l < k; l++)
    sum +=
      a[startA + (p.transA ? l * m + row : row * k + l)]! *
      b[startB + (p.transB ? column * k + l : l * n + column)]!;
  return sum;
}

/** The group that a channel of `channels` is in. */
const groupOf = (channel: number, channels: number, p: ConvParams): number =>
  Math.floor(channel / (channels / p.groups));

/** The place that a window's tap falls on, along one axis, or undefined outside of the image. */
const within = (place: number, size: number): number | undefined =>
  place >= 0 && place < size ? place : undefined;

function convAt(p: ConvParams, x: Data, w: Data, at: number): number {
  const [o, pixel] = [at % p.outC, Math.floor(at / p.outC)];
  const [image, oy, ox] = [
    Math.floor(pixel / (p.outH * p.outW)),
    Math.floor(pixel / p.outW) % p.outH,
    pixel % p.outW,
  ];
  const inG = p.inC / p.groups;
  const first = groupOf(o, p.outC, p) * inG;
  let sum = 0;
  for (let u = 0; u < p.kh; u++)
    for (let v = 0; v < p.kw; v++) {
      const y = within(oy * p.strideH + u * p.dilationH - p.padTop, p.h);
      const c = within(ox * p.strideW + v * p.dilationW - p.padLeft, p.w);
      if (y === undefined || c === undefined) continue;
      const from = ((image * p.h + y) * p.w + c) * p.inC + first;
      for (let i = 0; i < inG; i++) sum += x[from + i]! * w[((u * p.kw + v) * inG + i) * p.outC + o]!;
    }
  return sum;
}

function inputGradAt(p: ConvParams, dy: Data, w: Data, at: number): number {
  const [channel, pixel] = [at % p.inC, Math.floor(at / p.inC)];
  const [image, y, x] = [Math.floor(pixel / (p.h * p.w)), Math.floor(pixel / p.w) % p.h, pixel % p.w];
  const [inG, outG] = [p.inC / p.groups, p.outC / p.groups];
  const group = groupOf(channel, p.inC, p);
  let sum = 0;
  for (let u = 0; u < p.kh; u++)
    for (let v = 0; v < p.kw; v++) {
      const oy = within((y + p.padTop - u * p.dilationH) / p.strideH, p.outH);
      const ox = within((x + p.padLeft - v * p.dilationW) / p.strideW, p.outW);
      if (oy === undefined || ox === undefined || !Number.isInteger(oy) || !Number.isInteger(ox)) continue;
      const from = ((image * p.outH + oy) * p.outW + ox) * p.outC + group * outG;
      const row = ((u * p.kw + v) * inG + (channel % inG)) * p.outC + group * outG;
      for (let o = 0; o < outG; o++) sum += dy[from + o]! * w[row + o]!;
    }
  return sum;
}

function weightGradAt(p: ConvParams, x: Data, dy: Data, at: number): number {
  const inG = p.inC / p.groups;
  const [o, row] = [at % p.outC, Math.floor(at / p.outC)];
  const [u, v] = [Math.floor(row / (inG * p.kw)), Math.floor(row / inG) % p.kw];
  const channel = groupOf(o, p.outC, p) * inG + (row % inG);
  let sum = 0;
  for (let image = 0; image < p.batch; image++)
    for (let oy = 0; oy < p.outH; oy++)
      for (let ox = 0; ox < p.outW; ox++) {
        const y = within(oy * p.strideH + u * p.dilationH - p.padTop, p.h);
        const c = within(ox * p.strideW + v * p.dilationW - p.padLeft, p.w);
        if (y === undefined || c === undefined) continue;
        sum +=
          x[((image * p.h + y) * p.w + c) * p.inC + channel]! *
          dy[((image * p.outH + oy) * p.outW + ox) * p.outC + o]!;
      }
  return sum;
}
