/** What the three convolution kernels have in common. */
export interface ConvParams {
  readonly batch: number;
  readonly h: number;
  readonly w: number;
  readonly inC: number;
  readonly outC: number;
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
  readonly groups: number;
}

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

/** Whether some tap of some window lies outside of the image, along one axis. */
export const reachesOut = (
  size: number,
  out: number,
  k: number,
  stride: number,
  dilation: number,
  pad: number,
): boolean => pad > 0 || (out - 1) * stride - pad + (k - 1) * dilation >= size;

/** Channels that a row or column of a product spans in one group. */
export const perGroup = (p: ConvParams): { inG: number; outG: number } => ({
  inG: p.inC / p.groups,
  outG: p.outC / p.groups,
});

/** Groups of few channels would leave most columns of a tile empty; they are convolved one element per invocation. */
export const isNarrow = (p: ConvParams, columns: number): boolean => p.groups > 1 && columns < 8;
