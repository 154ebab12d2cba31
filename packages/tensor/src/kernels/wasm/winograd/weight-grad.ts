/**
 * The weight gradient of a 3×3 convolution with stride 1 by Winograd's algorithm: a 6×6 piece of an image and the 4×4 piece
 * of the output's gradient that it reaches are transformed, and 36 products stand for 144 (F(3×3, 4×4), by the same six
 * points as the forward pass). The products of all tiles are added up before they are transformed back.
 *
 * A unit is a split × 8 input channels. A run takes its units' channels together, as transforming the gradient costs
 * it once. Each sum goes over tiles in ascending order: no result depends on units or threads.
 */
import { encodeModule, Func, type Code } from "../assembler/assembler.js";
import { PRODUCTS_PER_NS } from "../products/gemm.js";
import { ARGS, END, runParams, START, type CompiledWasm, type WasmOptions } from "../kernel.js";
import { forLoop, local, setMin, setSum } from "../assembler/loops.js";
import { op } from "../assembler/opcodes.js";
import type { ConvWeightGradParams } from "../../../families/conv2d-weight-grad.js";
import * as seg from "../assembler/segments.js";
import * as tiles from "../products/tile.js";
import { PANEL_BYTES, STAY_BYTES } from "../cache.js";
import { alongRow, cutTiles } from "./edges.js";
import { CHANNELS, tilesOf, weightGradCost } from "./fit.js";
import { apart, layOut, multiply, next } from "./points.js";
import { BETWEEN_BYTES, OUTPUTS, POINTS, PRODUCTS, TAPS, Transforms } from "./transforms.js";

/** Tiles per visit of a register tile's sums, so that loading and storing them costs little beside. */
const TILES = 32;

export function compileWinogradWeightGrad(p: ConvWeightGradParams, options: WasmOptions): CompiledWasm {
  const { inC, outC } = p;
  const tilesHere = tilesOf(p.batch, p.outH, p.outW);
  const s = cutTiles(
    { batch: p.batch, height: p.h, width: p.w, channels: inC },
    { rows: tilesHere.y, columns: tilesHere.x, top: -p.padTop, left: -p.padLeft },
    p.splits,
  );
  const perSegment = s.blockRows * s.columns;
  const wanted = Math.max(TILES, Math.floor(PANEL_BYTES / (4 * PRODUCTS * Math.max(inC, outC))));
  const together = Math.max(1, Math.min(Math.ceil(s.total / p.splits), Math.round(wanted / perSegment)));
  const mostTiles = together * perSegment;
  /** Input channels whose sums a thread holds at a time. */
  const most = Math.floor(STAY_BYTES / (4 * PRODUCTS * outC) / CHANNELS) * CHANNELS;
  const held = Math.min(inC, Math.max(CHANNELS, most));
  const blocks = inC / CHANNELS;
  const pointBytes = {
    images: apart(mostTiles * held),
    gradients: apart(mostTiles * outC),
    sums: apart(held * outC),
  };

  const f = new Func(runParams);
  const c = f.code;
  const tile = tiles.newTile(f);
  const { x, dy, out } = f.named("x", "dy", "out");
  const scratch = f.named("between", "images", "gradients", "sums", "copy");
  const { unit, split, channel, channels, first, last, count } = f.named(
    "unit",
    "split",
    "channel",
    "channels",
    "first",
    "last",
    "count",
  );
  const { slot, index, rows, row, column, base, line, tileAt, from, to, point, i, j } = f.named(
    "slot",
    "index",
    "rows",
    "row",
    "column",
    "base",
    "line",
    "tileAt",
    "from",
    "to",
    "point",
    "i",
    "j",
  );
  const at = { image: f.local(), row: f.local() };
  const transforms = new Transforms(f, scratch.between);

  /** Four channels of all tiles lie together, as the products read them. */
  const transformImage = (l: Code): void => {
    const origin = seg.originOf(s);
    const corner = (s.minY - origin.y) * s.rowBytes + (s.minX - origin.x) * s.pixelBytes;
    setSum(
      l,
      from,
      corner,
      [local(base), 1],
      [local(row), OUTPUTS * s.rowBytes],
      [local(column), OUTPUTS * s.pixelBytes],
      [local(channel), 4],
    );
    setSum(l, to, 0, [local(scratch.images), 1], [local(tileAt), 16]);
    forLoop(l, i, 0, local(channels), 4, (four) => {
      transforms.both(four, transforms.image, {
        size: POINTS,
        results: POINTS,
        load: (k, y, z) => k.get(from).memory(op.v128Load, y * s.rowBytes + z * s.pixelBytes),
        store: (k, y, z, value) =>
          k
            .get(to)
            .get(value)
            .memory(op.v128Store, (POINTS * y + z) * pointBytes.images),
      });
      next(next(four, from, 16), to, 16 * mostTiles);
    });
  };

  /** Panels of eight channels of all tiles. Pixels beyond the edge are zero. */
  const transformGradient = (l: Code, high: number, wide: number): void => {
    setSum(l, from, 0, [local(line), 1], [local(column), 4 * OUTPUTS * outC]);
    setSum(l, to, 0, [local(scratch.gradients), 1], [local(tileAt), 32]);
    forLoop(l, i, 0, outC, tiles.TILE_COLUMNS, (eight) => {
      forLoop(eight, j, 0, 2, 1, (four) => {
        transforms.both(four, transforms.gradient, {
          size: OUTPUTS,
          results: POINTS,
          load: (k, y, z) =>
            y < high && z < wide
              ? k.get(from).memory(op.v128Load, 4 * (y * p.outW + z) * outC)
              : k.v128([0, 0, 0, 0]),
          store: (k, y, z, value) =>
            k
              .get(to)
              .get(value)
              .memory(op.v128Store, (POINTS * y + z) * pointBytes.gradients),
        });
        next(next(four, from, 16), to, 16);
      });
      next(eight, to, 32 * (mostTiles - 1));
    });
  };

  const transformTiles = (l: Code): void => {
    l.i32(0).set(tileAt);
    const place = (code: Code, high: number, wide: number): void => {
      transformImage(code);
      transformGradient(code, high, wide);
      next(code, tileAt, 1);
    };
    forLoop(l, slot, 0, local(count), 1, (here) => {
      setSum(here, index, 0, [local(first), 1], [local(slot), 1]);
      seg.locate(here, s, index, at);
      seg.rowsHere(here, s, at, s.rows, rows);
      seg.copySegment(f, here, s, at, x, scratch.copy, 0);
      seg.segmentAddress(here, s, at, x, scratch.copy, 0, base);
      forLoop(here, row, 0, local(rows), 1, (code) => {
        setSum(
          code,
          line,
          0,
          [local(dy), 1],
          [local(at.image), 4 * p.outH * p.outW * outC],
          [local(at.row), 4 * OUTPUTS * p.outW * outC],
          [local(row), 4 * OUTPUTS * p.outW * outC],
        );
        alongRow(code, { first: at.row, row, column }, { rows: p.outH, columns: p.outW }, place);
      });
    });
  };

  const products = (l: Code): void =>
    multiply(
      l,
      tile,
      { point, i, j, to },
      {
        rows: {
          ...{ at: scratch.images, pointBytes: pointBytes.images, step: 4 * mostTiles },
          ...{ count: local(channels), apart: 4, along: 16 },
        },
        columns: {
          ...{ at: scratch.gradients, pointBytes: pointBytes.gradients, step: 4 * mostTiles },
          count: outC,
        },
        sums: { ...{ at: scratch.sums, pointBytes: pointBytes.sums, step: 4 * outC }, kept: true },
        depth: local(tileAt),
        madd: options.madd ?? false,
      },
    );

  const transformSums = (l: Code): void =>
    forLoop(l, i, 0, local(channels), 1, (perChannel) => {
      setSum(perChannel, from, 0, [local(scratch.sums), 1], [local(i), 4 * outC]);
      setSum(
        perChannel,
        to,
        0,
        [local(out), 1],
        [local(split), 4 * TAPS * TAPS * inC * outC],
        [local(channel), 4 * outC],
        [local(i), 4 * outC],
      );
      forLoop(perChannel, j, 0, outC, 4, (four) => {
        transforms.both(four, transforms.weights, {
          size: POINTS,
          results: TAPS,
          load: (k, y, z) => k.get(from).memory(op.v128Load, (POINTS * y + z) * pointBytes.sums),
          store: (k, y, z, value) =>
            k
              .get(to)
              .get(value)
              .memory(op.v128Store, 4 * (TAPS * y + z) * inC * outC),
        });
        next(next(four, from, 16), to, 16);
      });
    });

  [x, dy, out].forEach((into, n) =>
    c
      .get(ARGS)
      .memory(op.i32Load, 4 * n)
      .set(into),
  );
  const sizes = {
    between: BETWEEN_BYTES,
    images: PRODUCTS * pointBytes.images,
    gradients: PRODUCTS * pointBytes.gradients,
    sums: PRODUCTS * pointBytes.sums,
    copy: s.bytes,
  };
  const scratchBytes = layOut(c, scratch, sizes);
  seg.clearCopies(c, s, scratch.copy, 1);
  c.get(START).set(unit);
  const bound = (l: Code, into: number, number: number): void => {
    setSum(l, into, 0, [local(number), s.total])
      .get(into)
      .i32(p.splits)
      .op(op.i32DivU)
      .set(into);
  };
  c.block((done) => {
    done.get(unit).get(END).op(op.i32GeS).brIf(0);
    done.loop((l) => {
      // As many units of one split as are left and as there is room for.
      l.get(unit).i32(blocks).op(op.i32DivU).set(split);
      setSum(l, channel, 0, [local(unit), 1], [local(split), -blocks]);
      setMin(setSum(l, channels, blocks, [local(channel), -1]), channels, local(channels), held / CHANNELS);
      setSum(l, last, 0, [local(END), 1], [local(unit), -1]);
      setMin(l, channels, local(channels), local(last));
      setSum(l, unit, 0, [local(unit), 1], [local(channels), 1]);
      setSum(l, channel, 0, [local(channel), CHANNELS]);
      setSum(l, channels, 0, [local(channels), CHANNELS]);
      bound(l, first, split);
      setSum(l, last, 1, [local(split), 1]);
      bound(l, last, last);
      l.get(scratch.sums).i32(0).i32(sizes.sums).memoryFill();
      forLoop(l, first, local(first), local(last), together, (pieces) => {
        setMin(setSum(pieces, count, 0, [local(last), 1], [local(first), -1]), count, local(count), together);
        transformTiles(pieces);
        products(pieces);
      });
      transformSums(l);
      l.get(unit).get(END).op(op.i32LtS).brIf(0);
    });
  });
  const { winograd, gradient } = weightGradCost(p);
  const units = p.splits * blocks;
  return {
    bytes: encodeModule({ run: f }, options),
    units,
    unitCost: winograd / units / PRODUCTS_PER_NS,
    scratchBytes,
    claimCost: gradient / p.splits / PRODUCTS_PER_NS,
  };
}
