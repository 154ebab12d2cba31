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
import { PANEL_BYTES, STAY_BYTES, WEIGHT_BYTES } from "../cache.js";
import type { Convolution } from "../products/convolution.js";
import { PRODUCTS_PER_NS } from "../products/gemm.js";
import { ARGS, END, runParams, START, unitsWanted, type CompiledWasm, type WasmOptions } from "../kernel.js";
import { forLoop, local, setMin, setSum } from "../assembler/loops.js";
import { op } from "../assembler/opcodes.js";
import { packPanel } from "../products/pack.js";
import * as seg from "../assembler/segments.js";
import * as tiles from "../products/tile.js";
import { alongRow, cutTiles } from "./edges.js";
import { costOf, tilesOf } from "./fit.js";
import { apart, layOut, multiply, next } from "./points.js";
import { BETWEEN_BYTES, OUTPUTS, POINTS, PRODUCTS, TAPS, Transforms } from "./transforms.js";

interface Blocks {
  /** Whether the transformed weights stay while tiles pass, or the other way round. */
  readonly weightsStay: boolean;
  readonly s: seg.Segments;
  /** Segments of the batch and output channels of a unit. */
  readonly segments: number;
  readonly columns: number;
}

function blocksOf(v: Convolution, options: WasmOptions): Blocks {
  const { rows, columns: width, taps } = v.phases[0]!;
  const { total, y, x } = tilesOf(v.source.batch, rows, width);
  const [first] = taps;
  const s = cutTiles(v.source, { rows: y, columns: x, top: first!.y, left: first!.x });
  const weightsStay = total >= v.outer;
  const units = unitsWanted(options, 8, 4);
  const within = (bytes: number): number => Math.floor(bytes / (4 * PRODUCTS * v.inner));
  // Small blocks of the operand that passes use the one that stays too little.
  const share = (whole: number, bytes: number): number =>
    Math.max(16, Math.min(within(bytes), Math.ceil(whole / units)));
  const wanted = weightsStay ? share(total, PANEL_BYTES) : within(STAY_BYTES);
  const columns = weightsStay ? within(STAY_BYTES) : share(v.outer, WEIGHT_BYTES);
  return {
    weightsStay,
    s,
    segments: Math.max(1, Math.min(s.total, Math.round(wanted / (s.blockRows * x)))),
    columns: Math.min(v.outer, Math.max(tiles.TILE_COLUMNS, columns - (columns % tiles.TILE_COLUMNS))),
  };
}

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
    weights: apart(inner * blocks.columns),
    images: apart(inner * mostTiles),
    outputs: apart(blocks.columns * mostTiles),
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
    multiply(
      l,
      tile,
      { point, i, j, to },
      {
        rows: {
          ...{ at: scratch.images, pointBytes: pointBytes.images, step: 4 * inner },
          ...{ count: local(tileAt), apart: 4 * inner, along: 4 },
        },
        columns: {
          ...{ at: scratch.weights, pointBytes: pointBytes.weights, step: 4 * inner },
          count: local(columns),
        },
        sums: {
          ...{ at: scratch.outputs, pointBytes: pointBytes.outputs, step: 4 * blocks.columns },
          kept: false,
        },
        depth: inner,
        madd: options.madd ?? false,
      },
    );

  const transformOutputs = (l: Code): void => {
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
        alongRow(code, { first: at.row, row, column }, phase, place);
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
  const scratchBytes = layOut(c, scratch, sizes);
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
