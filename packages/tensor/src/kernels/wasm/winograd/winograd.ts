/**
 * Convolutions with 3×3 windows and stride 1 by Winograd's F(4×4, 3×3): pieces of 6×6 pixels (tiles, 4 apart) and the
 * weights are transformed, so that at each of 36 points a matrix product of tiles and weights stands for a quarter of
 * the multiplications. A unit is a block of tiles × a block of output channels; of its two transformed operands the
 * one that is cheaper to make again stays in scratch memory for the units that follow.
 *
 * Every sum over channels is made whole and in ascending order, and tiles start at the image's corner: no result depends
 * on blocks or threads.
 */
import { encodeModule, Func, type Code } from "../assembler/assembler.js";
import type { Convolution } from "../products/convolve.js";
import { PRODUCTS_PER_NS } from "../products/gemm.js";
import {
  ARGS,
  END,
  runParams,
  SCRATCH,
  START,
  unitsWanted,
  type CompiledWasm,
  type WasmOptions,
} from "../kernel.js";
import { forLoop, local, setMin, setSum } from "../assembler/loops.js";
import { op } from "../assembler/opcodes.js";
import { packPanel } from "../products/pack.js";
import * as seg from "../assembler/segments.js";
import * as tiles from "../products/tile.js";
import { BETWEEN_BYTES, OUTPUTS, POINTS, TAPS, Transforms } from "./winograd-transforms.js";

/** Bytes of image copies, small enough for the second-level cache beside the rest. */
const COPY_BYTES = 96 * 1024;
/** Bytes that the operand which stays may take of every thread's scratch memory. */
export const STAY_BYTES = 8 * 2 ** 20;
/** Bytes of the operand that changes with every unit, where it is tiles and where it is weights. */
export const TILE_BYTES = 256 * 1024;
const WEIGHT_BYTES = 512 * 1024;
export const PRODUCTS = POINTS * POINTS;
/** What transforming costs, in products: of a weight (its nine taps), and of a tile's channel either way. */
export const PER_WEIGHT = 100;
export const PER_TILE = 130;
/** Powers of two between the arrays of the points would lay them all into a few lines of the caches. */
export const APART = 64;

/** Whether every output sees a 3×3 window of neighbours, and channels fill whole vectors and panels. */
export function fitsWinograd(v: Convolution): boolean {
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

const tilesOf = (v: Convolution): { y: number; x: number; total: number } => {
  const { rows, columns } = v.phases[0]!;
  const [y, x] = [Math.ceil(rows / OUTPUTS), Math.ceil(columns / OUTPUTS)];
  return { y, x, total: v.source.batch * y * x };
};

/** Work of the direct sum and of Winograd's, in products. */
function costOf(v: Convolution): { direct: number; winograd: number; weights: number; images: number } {
  const { rows, columns } = v.phases[0]!;
  const { total } = tilesOf(v);
  const weights = PER_WEIGHT * v.inner * v.outer;
  const images = PER_TILE * total * v.inner;
  const multiplied = PRODUCTS * Math.ceil(total / tiles.TILE_ROWS) * tiles.TILE_ROWS * v.inner * v.outer;
  return {
    direct: TAPS * TAPS * rows * columns * v.source.batch * v.inner * v.outer,
    winograd: multiplied + weights + images + PER_TILE * total * v.outer,
    weights,
    images,
  };
}

/**
 * Whether Winograd's algorithm is faster: a quarter of the products, times what tiles reach over the image's edge
 * (7×7 outputs take 8×8), plus the transforms, which weigh little from about 16 channels and two dozen tiles on. The count
 * is within a fifth of what was measured for 8 to 512 channels; near the break-even the direct sum is preferred.
 */
export function winogradWins(v: Convolution): boolean {
  const { direct, winograd } = costOf(v);
  return direct > 1.1 * winograd;
}

/** Segments whose windows are tiles; the first tile begins at pixel (top, left) of the source. */
export const cutTiles = (
  source: Pick<seg.Sliding, "batch" | "height" | "width" | "channels">,
  t: { readonly rows: number; readonly columns: number; readonly top: number; readonly left: number },
  atLeast = 1,
): seg.Segments =>
  seg.cutSegments(
    {
      ...source,
      stepY: OUTPUTS,
      stepX: OUTPUTS,
      rows: t.rows,
      columns: t.columns,
      minY: t.top,
      maxY: t.top + POINTS - 1,
      minX: t.left,
      maxX: t.left + POINTS - 1,
    },
    COPY_BYTES,
    atLeast,
  );

interface Blocks {
  /** Whether the transformed weights stay while tiles pass, or the other way round. */
  readonly weightsStay: boolean;
  readonly s: seg.Segments;
  /** Segments of the batch and output channels of a unit. */
  readonly segments: number;
  readonly columns: number;
}

function blocksOf(v: Convolution, options: WasmOptions): Blocks {
  const { total, y, x } = tilesOf(v);
  const [first] = v.phases[0]!.taps;
  const s = cutTiles(v.source, { rows: y, columns: x, top: first!.y, left: first!.x });
  const weightsStay = total >= v.outer;
  const units = unitsWanted(options, 8, 4);
  const within = (bytes: number): number => Math.floor(bytes / (4 * PRODUCTS * v.inner));
  // Small blocks of the operand that passes use the one that stays too little.
  const share = (whole: number, bytes: number): number =>
    Math.max(16, Math.min(within(bytes), Math.ceil(whole / units)));
  const wanted = weightsStay ? share(total, TILE_BYTES) : within(STAY_BYTES);
  const columns = weightsStay ? within(STAY_BYTES) : share(v.outer, WEIGHT_BYTES);
  return {
    weightsStay,
    s,
    segments: Math.max(1, Math.min(s.total, Math.round(wanted / (s.blockRows * x)))),
    columns: Math.min(v.outer, Math.max(tiles.TILE_COLUMNS, columns - (columns % tiles.TILE_COLUMNS))),
  };
}

/** Moves an address on. */
export const next = (l: Code, at: number, by: number): Code => l.get(at).i32(by).op(op.i32Add).set(at);

export function compileWinograd(v: Convolution, options: WasmOptions): CompiledWasm {
  const { inner, outer } = v;
  const phase = v.phases[0]!;
  const blocks = blocksOf(v, options);
  const { s, weightsStay } = blocks;
  const tileGroups = Math.ceil(s.total / blocks.segments);
  const columnBlocks = Math.ceil(outer / blocks.columns);
  const mostTiles =
    Math.ceil((blocks.segments * s.blockRows * s.columns) / tiles.TILE_ROWS) * tiles.TILE_ROWS;
  /** Bytes from one point's array to the next. */
  const pointBytes = {
    weights: 4 * inner * blocks.columns + APART,
    images: 4 * inner * mostTiles + APART,
    outputs: 4 * blocks.columns * mostTiles + APART,
  };

  const f = new Func(runParams);
  const c = f.code;
  const tile = tiles.newTile(f);
  const { source, weights, out } = f.named("source", "weights", "out");
  const scratch = f.named("between", "taps", "weights", "images", "outputs", "copy");
  const { unit, group, block, have, first, count, column0, columns } = f.named(
    "unit",
    "group",
    "block",
    "have",
    "first",
    "count",
    "column0",
    "columns",
  );
  const { slot, index, rows, row, column, base, tileAt, from, to, channel, point, i, j } = f.named(
    "slot",
    "index",
    "rows",
    "row",
    "column",
    "base",
    "tileAt",
    "from",
    "to",
    "channel",
    "point",
    "i",
    "j",
  );
  const at = { image: f.local(), row: f.local() };
  const transforms = new Transforms(f, scratch.between);

  const eachSegment = (l: Code, body: (code: Code) => void): void => {
    l.i32(0).set(tileAt);
    forLoop(l, slot, 0, local(count), 1, (code) => {
      setSum(code, index, 0, [local(first), 1], [local(slot), 1]);
      seg.locate(code, s, index, at);
      seg.rowsHere(code, s, at, s.rows, rows);
      body(code);
    });
  };
  const transformWeights = (l: Code): void => {
    const panel = 4 * tiles.TILE_COLUMNS * inner;
    const [into, tapAt, vector] = [f.local(), f.local(), f.local()];
    forLoop(l, j, 0, local(columns), tiles.TILE_COLUMNS, (code) => {
      setSum(code, from, 0, [local(column0), 1], [local(j), 1]);
      phase.taps.forEach(({ weight }, t) => {
        setSum(code, tapAt, 4 * weight, [local(weights), 1]);
        setSum(code, into, t * panel, [local(scratch.taps), 1]);
        const steps = { at: tapAt, stepK: 4 * v.weightInner, stepColumn: 4 * v.weightOuter };
        packPanel(f, code, steps, into, local(from), tiles.TILE_COLUMNS, inner);
      });
      code.get(scratch.taps).set(from);
      setSum(code, to, 0, [local(scratch.weights), 1], [local(j), 4 * inner]);
      forLoop(code, vector, 0, panel, 16, (one) => {
        transforms.both(one, transforms.filter, {
          size: TAPS,
          results: POINTS,
          load: (k, y, x) => k.get(from).memory(op.v128Load, (TAPS * y + x) * panel),
          store: (k, y, x, value) =>
            k
              .get(to)
              .get(value)
              .memory(op.v128Store, (POINTS * y + x) * pointBytes.weights),
        });
        next(next(one, from, 16), to, 16);
      });
    });
  };

  const transformImages = (l: Code): void => {
    const origin = seg.originOf(s);
    const corner = (s.minY - origin.y) * s.rowBytes + (s.minX - origin.x) * s.pixelBytes;
    l.get(scratch.images).set(to);
    eachSegment(l, (here) => {
      seg.copySegment(f, here, s, at, source, scratch.copy, 0);
      seg.segmentAddress(here, s, at, source, scratch.copy, 0, base);
      forLoop(here, row, 0, local(rows), 1, (line) =>
        forLoop(line, column, 0, s.columns, 1, (one) => {
          setSum(
            one,
            from,
            corner,
            [local(base), 1],
            [local(row), OUTPUTS * s.rowBytes],
            [local(column), OUTPUTS * s.pixelBytes],
          );
          forLoop(one, channel, 0, inner, 4, (four) => {
            transforms.both(four, transforms.image, {
              size: POINTS,
              results: POINTS,
              load: (k, y, x) => k.get(from).memory(op.v128Load, y * s.rowBytes + x * s.pixelBytes),
              store: (k, y, x, value) =>
                k
                  .get(to)
                  .get(value)
                  .memory(op.v128Store, (POINTS * y + x) * pointBytes.images),
            });
            next(next(four, from, 16), to, 16);
          });
          next(one, tileAt, 1);
        }),
      );
    });
  };

  /** Rows beyond the last tile hold what was there before; their sums are never read. */
  const products = (l: Code): void =>
    forLoop(l, point, 0, PRODUCTS, 1, (perPoint) =>
      forLoop(perPoint, j, 0, local(columns), tiles.TILE_COLUMNS, (perPanel) =>
        forLoop(perPanel, i, 0, local(tileAt), tiles.TILE_ROWS, (code) => {
          setSum(
            code,
            tile.rowsAt,
            0,
            [local(scratch.images), 1],
            [local(point), pointBytes.images],
            [local(i), 4 * inner],
          );
          setSum(
            code,
            tile.columnsAt,
            0,
            [local(scratch.weights), 1],
            [local(point), pointBytes.weights],
            [local(j), 4 * inner],
          );
          setSum(
            code,
            to,
            0,
            [local(scratch.outputs), 1],
            [local(point), pointBytes.outputs],
            [local(i), 4 * blocks.columns],
            [local(j), 4],
          );
          const offsets = (step: number): number[] =>
            Array.from({ length: tiles.TILE_ROWS }, (_, r) => r * step);
          tiles.clear(code, tile);
          tiles.addProducts(
            code,
            tile,
            {
              rowOffsets: offsets(4 * inner),
              rowStep: 4,
              columnStep: 4 * tiles.TILE_COLUMNS,
              count: inner,
            },
            options.madd ?? false,
          );
          tiles.storeTile(code, tile, to, offsets(4 * blocks.columns), tiles.TILE_COLUMNS);
        }),
      ),
    );

  const transformOutputs = (l: Code): void => {
    const [wholeY, wholeX] = [Math.floor(phase.rows / OUTPUTS), Math.floor(phase.columns / OUTPUTS)];
    const [restY, restX] = [phase.rows % OUTPUTS, phase.columns % OUTPUTS];
    const place = (code: Code, high: number, wide: number): void => {
      setSum(code, from, 0, [local(scratch.outputs), 1], [local(tileAt), 4 * blocks.columns]);
      setSum(code, to, 0, [local(base), 1], [local(column), 4 * OUTPUTS * phase.pixelStep]);
      forLoop(code, channel, 0, local(columns), 4, (four) => {
        transforms.both(four, transforms.output, {
          size: POINTS,
          results: OUTPUTS,
          wanted: [high, wide],
          load: (k, y, x) => k.get(from).memory(op.v128Load, (POINTS * y + x) * pointBytes.outputs),
          store: (k, y, x, value) =>
            k
              .get(to)
              .get(value)
              .memory(op.v128Store, 4 * (y * phase.rowStep + x * phase.pixelStep)),
        });
        next(next(four, from, 16), to, 16);
      });
      next(code, tileAt, 1);
    };
    const line = (code: Code, high: number): void => {
      forLoop(code, column, 0, wholeX, 1, (inside) => place(inside, high, OUTPUTS));
      if (restX) place(code.i32(wholeX).set(column), high, restX);
    };
    eachSegment(l, (here) =>
      forLoop(here, row, 0, local(rows), 1, (code) => {
        setSum(
          code,
          base,
          0,
          [local(out), 1],
          [local(at.image), 4 * v.outputImage],
          [local(at.row), 4 * OUTPUTS * phase.rowStep],
          [local(row), 4 * OUTPUTS * phase.rowStep],
          [local(column0), 4],
        );
        if (!restY) return line(code, OUTPUTS);
        code
          .get(at.row)
          .get(row)
          .op(op.i32Add)
          .i32(wholeY)
          .op(op.i32LtS)
          .if(
            (whole) => line(whole, OUTPUTS),
            (rest) => line(rest, restY),
          );
      }),
    );
  };

  [source, weights, out].forEach((into, n) =>
    c
      .get(ARGS)
      .memory(op.i32Load, 4 * n)
      .set(into),
  );
  const sizes = {
    between: BETWEEN_BYTES,
    taps: 4 * TAPS * TAPS * tiles.TILE_COLUMNS * inner,
    weights: PRODUCTS * pointBytes.weights,
    images: PRODUCTS * pointBytes.images,
    outputs: PRODUCTS * pointBytes.outputs,
    copy: s.bytes,
  };
  let scratchBytes = 0;
  for (const key of Object.keys(sizes) as (keyof typeof sizes)[]) {
    setSum(c, scratch[key], scratchBytes, [local(SCRATCH), 1]);
    scratchBytes += sizes[key];
  }
  seg.clearCopies(c, s, scratch.copy, 1);
  c.i32(-1).set(have);
  const [stays, passes] = weightsStay ? [block, group] : [group, block];
  const passing = weightsStay ? tileGroups : columnBlocks;
  forLoop(c, unit, local(START), local(END), 1, (l) => {
    l.get(unit).i32(passing).op(op.i32DivU).set(stays);
    setSum(l, passes, 0, [local(unit), 1], [local(stays), -passing]);
    setSum(l, first, 0, [local(group), blocks.segments]);
    setMin(setSum(l, count, s.total, [local(first), -1]), count, local(count), blocks.segments);
    setSum(l, column0, 0, [local(block), blocks.columns]);
    setMin(setSum(l, columns, outer, [local(column0), -1]), columns, local(columns), blocks.columns);
    const [atFirst, always] = weightsStay
      ? [transformWeights, transformImages]
      : [transformImages, transformWeights];
    l.get(stays)
      .get(have)
      .op(op.i32Ne)
      .if((fresh) => {
        atFirst(fresh);
        fresh.get(stays).set(have);
      });
    always(l);
    products(l);
    transformOutputs(l);
  });
  const units = tileGroups * columnBlocks;
  const cost = costOf(v);
  const once = weightsStay ? cost.weights : cost.images;
  return {
    bytes: encodeModule({ run: f }, options),
    units,
    unitCost: (cost.winograd - once) / units / PRODUCTS_PER_NS,
    scratchBytes,
    claimCost: once / PRODUCTS_PER_NS,
  };
}
