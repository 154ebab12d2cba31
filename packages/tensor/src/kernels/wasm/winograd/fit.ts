/** Where Winograd's algorithm can stand for the direct sum, and where it is faster. */
import type { ConvWeightGradParams } from "../../../families/conv2d-weight-grad.js";
import type { WasmOptions } from "../kernel.js";
import type { Convolution } from "../products/convolution.js";
import { TILE_COLUMNS, TILE_ROWS } from "../products/tile.js";
import { OUTPUTS, PRODUCTS, TAPS } from "./transforms.js";

/** What transforming costs, in products: of a weight (its nine taps), and of a tile's channel either way. */
const PER_WEIGHT = 100;
const PER_TILE = 130;
/** Near the break-even the direct sum is preferred: the counts are within a fifth of what was measured for 8 to 512 channels. */
const MARGIN = 1.1;

/** Input channels of a unit of the weight gradient. */
export const CHANNELS = 8;

export interface Tiles {
  readonly y: number;
  readonly x: number;
  /** Of the whole batch. */
  readonly total: number;
}

/** Tiles that cover so many outputs. */
export function tilesOf(batch: number, rows: number, columns: number): Tiles {
  const [y, x] = [Math.ceil(rows / OUTPUTS), Math.ceil(columns / OUTPUTS)];
  return { y, x, total: batch * y * x };
}

/** Whether every output sees a 3×3 window of neighbours, and channels fill whole vectors and panels. */
function fits(v: Convolution): boolean {
  const [phase] = v.phases;
  if (v.phases.length !== 1 || !phase || v.groups !== 1) return false;
  const { taps } = phase;
  const [first] = taps;
  return (
    v.source.stepY === 1 &&
    v.source.stepX === 1 &&
    v.outputImage * v.source.batch * v.inner > 0 &&
    v.inner % 8 === 0 &&
    v.outer % 8 === 0 &&
    taps.length === TAPS * TAPS &&
    taps.every((t, i) => t.y === first!.y + Math.floor(i / TAPS) && t.x === first!.x + (i % TAPS))
  );
}

/** Work of the direct sum and of Winograd's, in products. */
export function costOf(v: Convolution): {
  direct: number;
  winograd: number;
  weights: number;
  images: number;
} {
  const { rows, columns } = v.phases[0]!;
  const { total } = tilesOf(v.source.batch, rows, columns);
  const weights = PER_WEIGHT * v.inner * v.outer;
  const images = PER_TILE * total * v.inner;
  const multiplied = PRODUCTS * Math.ceil(total / TILE_ROWS) * TILE_ROWS * v.inner * v.outer;
  return {
    direct: TAPS * TAPS * rows * columns * v.source.batch * v.inner * v.outer,
    winograd: multiplied + weights + images + PER_TILE * total * v.outer,
    weights,
    images,
  };
}

/**
 * Whether a convolution is to be computed by Winograd's algorithm: as the options say, or where it is faster. It takes a
 * quarter of the products, times what tiles reach over the image's edge (7×7 outputs take 8×8), plus the transforms, which
 * weigh little from about 16 channels and two dozen tiles on.
 */
export function usesWinograd(v: Convolution, options: WasmOptions): boolean {
  if (!fits(v)) return false;
  const { direct, winograd } = costOf(v);
  return options.winograd ?? direct > MARGIN * winograd;
}

const weightGradFits = (p: ConvWeightGradParams): boolean =>
  p.kh === TAPS &&
  p.kw === TAPS &&
  p.strideH === 1 &&
  p.strideW === 1 &&
  p.dilationH === 1 &&
  p.dilationW === 1 &&
  p.groups === 1 &&
  p.inC % CHANNELS === 0 &&
  p.outC % TILE_COLUMNS === 0 &&
  p.batch * p.outH * p.outW * p.inC * p.outC > 0;

/** Work in products, beside transforming the output's gradient, which every run of units does. */
export function weightGradCost(p: ConvWeightGradParams): {
  direct: number;
  winograd: number;
  gradient: number;
} {
  const { total } = tilesOf(p.batch, p.outH, p.outW);
  const weights = p.inC * p.outC;
  return {
    direct: TAPS * TAPS * p.batch * p.outH * p.outW * weights,
    winograd: (PRODUCTS * total + PER_WEIGHT * p.splits) * weights + PER_TILE * total * p.inC,
    gradient: PER_TILE * total * p.outC,
  };
}

/** As `usesWinograd`, of the weight gradient. */
export function weightGradUsesWinograd(p: ConvWeightGradParams, options: WasmOptions): boolean {
  if (!weightGradFits(p)) return false;
  const { direct, winograd, gradient } = weightGradCost(p);
  return options.winograd ?? direct > MARGIN * (winograd + gradient);
}
