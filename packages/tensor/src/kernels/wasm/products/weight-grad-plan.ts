/** How the weight gradient's work is cut: into blocks of input channels, and the batch into pieces of images. */
import type { ConvWeightGradParams } from "../../../families/conv2d-weight-grad.js";
import { cutSegments, type Segments } from "../assembler/segments.js";
import { NEAR_COPY_BYTES } from "../cache.js";
import { unitsWanted, type WasmOptions } from "../kernel.js";

/** Pixels per visit of a tile, so that loading and storing its sums costs little beside. */
const PIXELS = 128;
/** Output columns up to which starting a loop per row costs more than looking up every pixel's place. */
const SHORT_ROWS = 16;
/** Input channels of a unit: a part of a group's where that gives threads enough units. */
function channelBlock(p: ConvWeightGradParams, inner: number, units: number): number {
  let block = inner;
  while (p.splits * p.groups * (inner / block) < units && block % 8 === 0 && block > 8) block /= 2;
  return block;
}

export interface WeightGradPlan {
  /** Channels of a group, in and out. */
  readonly inner: number;
  readonly outer: number;
  /** Input channels of a unit, and how many such blocks a group has. */
  readonly block: number;
  readonly blocks: number;
  readonly s: Segments;
  /** Segments that pass a tile's registers at a time. */
  readonly together: number;
  /** Rows are short: a segment is walked as one sequence of pixels whose places stand in a table. */
  readonly flat: boolean;
}

export function planWeightGrad(p: ConvWeightGradParams, options: WasmOptions): WeightGradPlan {
  const [inner, outer] = [p.inC / p.groups, p.outC / p.groups];
  const block = channelBlock(p, inner, unitsWanted(options, 8, 2));
  const blocks = inner / block;
  const s = cutSegments(
    {
      batch: p.batch,
      height: p.h,
      width: p.w,
      channels: p.inC,
      rows: p.outH,
      columns: p.outW,
      stepY: p.strideH,
      stepX: p.strideW,
      minY: -p.padTop,
      maxY: (p.kh - 1) * p.dilationH - p.padTop,
      minX: -p.padLeft,
      maxX: (p.kw - 1) * p.dilationW - p.padLeft,
    },
    NEAR_COPY_BYTES,
    p.splits,
    block,
  );
  const room = s.bytes ? Math.floor(NEAR_COPY_BYTES / s.bytes) : 1024;
  const wanted = Math.max(1, Math.min(room, Math.ceil(PIXELS / (s.blockRows * s.columns))));
  // Short rows are walked as one sequence of pixels whose places stand in a table: of whole images, or of one piece.
  const flat = p.outW <= SHORT_ROWS;
  const together = flat && s.perImage > 1 ? 1 : wanted;
  return { inner, outer, block, blocks, s, together, flat };
}
