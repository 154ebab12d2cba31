/**
 * Gradient of a convolution with respect to its weights: dw[ky, kx, ic, oc] = Σ x[…, ic] · dy[…, oc] over all output
 * pixels. Tiles of 4 (tap, input channel) rows × 8 output channels stay in registers while the pixels of a few image
 * pieces pass by, and rest in the output between pieces.
 *
 * A unit is one split × group × block of input channels. A split's pieces are added in ascending order by one unit, so
 * threads do not change a bit; splits are added up by the op.
 */
import { encodeModule, Func, type Code } from "../assembler/assembler.js";
import { narrowGroups } from "./conv2d.js";
import { compileMap } from "../map/expression.js";
import { PRODUCTS_PER_NS } from "./gemm.js";
import { ARGS, END, runParams, SCRATCH, START, type CompiledWasm, type WasmOptions } from "../kernel.js";
import { type Amount, forLoop, local, pushSum, setMin, setSum } from "../assembler/loops.js";
import { op } from "../assembler/opcodes.js";
import { conv2dWeightGrad, type ConvWeightGradParams } from "../../../families/conv2d-weight-grad.js";
import { plainKernel } from "../../../families/family.js";
import * as seg from "../assembler/segments.js";
import * as tiles from "./tile.js";
import { planWeightGrad } from "./weight-grad-plan.js";
import { weightGradUsesWinograd } from "../winograd/fit.js";
import { compileWinogradWeightGrad } from "../winograd/weight-grad.js";
import type { Binding } from "../../../program.js";

/** Rows of dw up to which every tile is written out; beyond, tiles stay within one tap. */
const UNROLLED_ROWS = 200;

export function compileConv2dWeightGrad(
  p: ConvWeightGradParams,
  bindings: readonly Binding[],
  options: WasmOptions,
): CompiledWasm {
  if (narrowGroups(p)) return compileMap(plainKernel(conv2dWeightGrad, p), bindings, options);
  if (weightGradUsesWinograd(p, options)) return compileWinogradWeightGrad(p, options);
  const { inner, outer, block, blocks, s, together, flat } = planWeightGrad(p, options);
  const f = new Func(runParams);
  const c = f.code;
  const tile = tiles.newTile(f);
  const { x, dy, out, copies, table } = f.named("x", "dy", "out", "copies", "table");
  const { unit, split, channel, group, first, last, count, started } = f.named(
    "unit",
    "split",
    "channel",
    "group",
    "first",
    "last",
    "count",
    "started",
  );
  const { slot, index, base, rows, row, outAt, rest } = f.named(
    "slot",
    "index",
    "base",
    "rows",
    "row",
    "outAt",
    "rest",
  );
  const { ky, kx, i, j } = f.named("ky", "kx", "i", "j");
  const at = { image: f.local(), row: f.local() };

  const eachSegment = (l: Code, body: (code: Code) => void): void =>
    forLoop(l, slot, 0, local(count), 1, (code) => {
      setSum(code, index, 0, [local(first), 1], [local(slot), 1]);
      seg.locate(code, s, index, at);
      body(code);
    });

  /** Rows of the tile: byte offsets in the copies and in the output, from `rowBase` and `outBase`. */
  interface TileRows {
    readonly offsets: readonly number[];
    readonly outputs: readonly number[];
    readonly rowBase: readonly (readonly [Amount, number])[];
    readonly outBase: readonly (readonly [Amount, number])[];
  }

  const product = (l: Code, r: TileRows, column: Amount, width: number): void => {
    const part = tiles.cut(tile, r.offsets.length, tiles.tailVectors(width));
    setSum(
      l,
      outAt,
      0,
      [local(out), 1],
      [local(split), 4 * p.kh * p.kw * inner * p.outC],
      [local(channel), 4 * p.outC],
      [local(group), 4 * outer],
      [column, 4],
      ...r.outBase,
    );
    l.get(started).if(
      (more) => tiles.loadTile(more, part, outAt, r.outputs),
      (fresh) => tiles.clear(fresh, part),
    );
    const madd = options.madd ?? false;
    if (flat) {
      l.get(count).if((some) => {
        seg.locate(some, s, first, at);
        seg.segmentAddress(some, s, at, x, copies, 0, base, local(rest));
        setSum(some, tile.rowsAt, 0, [local(base), 1], ...r.rowBase);
        setSum(
          some,
          tile.columnsAt,
          0,
          [local(dy), 1],
          [local(at.image), 4 * p.outH * p.outW * p.outC],
          [local(at.row), 4 * p.outW * p.outC],
          [local(group), 4 * outer],
          [column, 4],
        );
        seg.rowsHere(some, s, at, p.outH, rows);
        if (s.perImage > 1) setSum(some, rows, 0, [local(rows), p.outW]);
        else setSum(some, rows, 0, [local(count), p.outH * p.outW]);
        some.get(table).set(index);
        const steps = { rowOffsets: r.offsets, rowStep: { table: index }, columnStep: 4 * p.outC };
        tiles.addProducts(some, part, { ...steps, count: local(rows) }, madd);
      });
      tiles.storeTile(l, part, outAt, r.outputs, width);
      return;
    }
    eachSegment(l, (here) => {
      seg.rowsHere(here, s, at, p.outH, rows);
      // Both operands move on by constants from row to row.
      seg.segmentAddress(here, s, at, x, copies, local(slot), base, local(rest));
      setSum(here, base, 0, [local(base), 1], ...r.rowBase);
      setSum(
        here,
        tile.columnsAt,
        0,
        [local(dy), 1],
        [local(at.image), 4 * p.outH * p.outW * p.outC],
        [local(at.row), 4 * p.outW * p.outC],
        [local(group), 4 * outer],
        [column, 4],
      );
      forLoop(here, row, 0, local(rows), 1, (line) => {
        line.get(base).set(tile.rowsAt);
        const rowStep = p.strideW * s.pixelBytes;
        const steps = { rowOffsets: r.offsets, rowStep, columnStep: 4 * p.outC, count: p.outW };
        tiles.addProducts(line, part, steps, madd);
        setSum(line, base, p.strideH * s.rowBytes, [local(base), 1]);
      });
    });
    tiles.storeTile(l, part, outAt, r.outputs, width);
  };

  const columns = (l: Code, r: TileRows): void => {
    const tail = outer % tiles.TILE_COLUMNS;
    forLoop(l, j, 0, outer - tail, tiles.TILE_COLUMNS, (code) =>
      product(code, r, local(j), tiles.TILE_COLUMNS),
    );
    if (tail) product(l, r, outer - tail, tail);
  };

  const tapOffset = (y: number, z: number): number =>
    y * p.dilationH * s.rowBytes + z * p.dilationW * s.pixelBytes;

  /** Tiles that run on over the ends of taps: for few input channels, where tiles within a tap would be half empty. */
  const acrossTaps = (l: Code): void => {
    const all = p.kh * p.kw * block;
    for (let start = 0; start < all; start += tiles.TILE_ROWS) {
      const members = Array.from({ length: Math.min(tiles.TILE_ROWS, all - start) }, (_, k) => {
        const tap = Math.floor((start + k) / block);
        return { y: Math.floor(tap / p.kw), z: tap % p.kw, tap, ic: (start + k) % block };
      });
      columns(l, {
        offsets: members.map((e) => tapOffset(e.y, e.z) + 4 * e.ic),
        outputs: members.map((e) => 4 * p.outC * (e.tap * inner + e.ic)),
        rowBase: [],
        outBase: [],
      });
    }
  };

  const withinTaps = (l: Code): void => {
    const tail = block % tiles.TILE_ROWS;
    forLoop(l, ky, 0, p.kh, 1, (yLoop) =>
      forLoop(yLoop, kx, 0, p.kw, 1, (code) => {
        const at = (height: number, from: Amount): TileRows => ({
          offsets: Array.from({ length: height }, (_, k) => 4 * k),
          outputs: Array.from({ length: height }, (_, k) => 4 * p.outC * k),
          rowBase: [
            [local(ky), p.dilationH * s.rowBytes],
            [local(kx), p.dilationW * s.pixelBytes],
            [from, 4],
          ],
          outBase: [
            [local(ky), 4 * p.kw * inner * p.outC],
            [local(kx), 4 * inner * p.outC],
            [from, 4 * p.outC],
          ],
        });
        forLoop(code, i, 0, block - tail, tiles.TILE_ROWS, (k) => columns(k, at(tiles.TILE_ROWS, local(i))));
        if (tail) columns(code, at(tail, block - tail));
      }),
    );
  };

  [x, dy, out].forEach((local, k) =>
    c
      .get(ARGS)
      .memory(op.i32Load, 4 * k)
      .set(local),
  );
  c.get(SCRATCH).set(copies);
  if (flat) {
    // Where each pixel of a piece is read.
    setSum(c, table, together * s.bytes, [local(copies), 1]);
    c.get(table).set(index);
    const image = s.inPlace ? p.h * s.rowBytes : s.bytes;
    forLoop(c, slot, 0, together, 1, (images) =>
      forLoop(images, row, 0, s.blockRows, 1, (lines) =>
        forLoop(lines, i, 0, p.outW, 1, (pixel) => {
          pixel.get(index);
          const [down, right] = [p.strideH * s.rowBytes, p.strideW * s.pixelBytes];
          pushSum(pixel, 0, [local(slot), image], [local(row), down], [local(i), right]).memory(op.i32Store);
          setSum(pixel, index, 4, [local(index), 1]);
        }),
      ),
    );
  }
  seg.clearCopies(c, s, copies, together);
  forLoop(c, unit, local(START), local(END), 1, (l) => {
    l.get(unit)
      .i32(p.groups * blocks)
      .op(op.i32DivU)
      .set(split);
    setSum(l, rest, 0, [local(unit), 1], [local(split), -p.groups * blocks]);
    l.get(rest).i32(blocks).op(op.i32DivU).set(group);
    // Channel within the group, then `rest`: the channel within the pixel.
    setSum(l, channel, 0, [local(rest), block], [local(group), -block * blocks]);
    setSum(l, rest, 0, [local(channel), 1], [local(group), inner]);
    setSum(l, first, 0, [local(split), s.total])
      .get(first)
      .i32(p.splits)
      .op(op.i32DivU)
      .set(first);
    setSum(l, last, s.total, [local(split), s.total])
      .get(last)
      .i32(p.splits)
      .op(op.i32DivU)
      .set(last);
    l.i32(0).set(started);
    l.loop((pieces) => {
      setSum(pieces, count, 0, [local(last), 1], [local(first), -1]);
      setMin(pieces, count, local(count), together);
      if (!s.inPlace)
        eachSegment(pieces, (here) => seg.copySegment(f, here, s, at, x, copies, local(slot), local(rest)));
      if (block % tiles.TILE_ROWS && p.kh * p.kw * block <= UNROLLED_ROWS) acrossTaps(pieces);
      else withinTaps(pieces);
      pieces.i32(1).set(started);
      setSum(pieces, first, together, [local(first), 1]);
      pieces.get(first).get(last).op(op.i32LtS).brIf(0);
    });
  });
  const units = p.splits * p.groups * blocks;
  const products = (p.batch * p.outH * p.outW * p.kh * p.kw * inner * p.outC) / units;
  return {
    bytes: encodeModule({ run: f }, options),
    units: s.total && p.kh * p.kw * inner * outer ? units : 0,
    unitCost: products / PRODUCTS_PER_NS,
    scratchBytes: together * (s.bytes + (flat ? 4 * s.blockRows * p.outW : 0)),
  };
}
