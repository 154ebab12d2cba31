/**
 * Convolution as tile products read straight from (zero-bordered copies of) the images: for every tile of neighbouring
 * output pixels × 8 output channels, a loop over taps and input channels in registers. The forward convolution and
 * its input gradient are both this; the latter has one phase per residue of the stride.
 *
 * Every output element is one sum over (tap, channel) in ascending order, whatever the units and threads.
 */
import { encodeModule, Func, type Code } from "../assembler/assembler.js";
import { PRODUCTS_PER_NS } from "./gemm.js";
import { ARGS, END, runParams, SCRATCH, START, type CompiledWasm, type WasmOptions } from "../kernel.js";
import { type Amount, forLoop, local, setMin, setSum } from "../assembler/loops.js";
import { op } from "../assembler/opcodes.js";
import { packPanel, panelWidth } from "./pack.js";
import * as seg from "../assembler/segments.js";
import * as tiles from "./tile.js";
import { type Convolution, divide, type Phase, runsOf, weightRuns } from "./convolution.js";

/** Columns in tiles of four, with threes at the end rather than a one or a two. */
function columnTiles(columns: number): { fours: number; tails: number[] } {
  const rest = columns % 4;
  const threes = rest === 0 ? 0 : 4 - rest;
  const fours = Math.ceil(columns / 4) - threes;
  if (fours >= 0) return { fours, tails: new Array<number>(threes).fill(3) };
  return { fours: 0, tails: columns === 5 ? [3, 2] : [columns] };
}

export function compileConvolution(v: Convolution, options: WasmOptions): CompiledWasm {
  const { s, together } = divide(v, options);
  const { groups, inner, outer } = v;
  const f = new Func(runParams);
  const c = f.code;
  const tile = tiles.newTile(f);
  const { source, weights, out, packed, copies } = f.named("source", "weights", "out", "packed", "copies");
  const { unit, first, count, slot, index, group, j } = f.named(
    "unit",
    "first",
    "count",
    "slot",
    "index",
    "group",
    "j",
  );
  const { row, column, rows, base, outAt, rowAt, outRow, panel, whole } = f.named(
    "row",
    "column",
    "rows",
    "base",
    "outAt",
    "rowAt",
    "outRow",
    "panel",
    "whole",
  );
  const at = { image: f.local(), row: f.local() };
  const origin = seg.originOf(s);
  const tail = outer % tiles.TILE_COLUMNS;
  const wholeColumns = outer - tail;
  const phases = v.phases.map((phase) => ({ phase, k: phase.taps.length * inner, packedAt: 0 }));
  let packedBytes = 0;
  for (const p of phases) {
    p.packedAt = packedBytes;
    packedBytes += 4 * p.k * panelWidth(outer) * groups;
  }

  const pack = (): void => {
    const weightAt = f.local();
    for (const { phase, k, packedAt } of phases)
      forLoop(c, group, 0, k ? groups : 0, 1, (perGroup) => {
        const panels = (l: Code, from: Amount, columns: number): void => {
          setSum(
            l,
            panel,
            packedAt,
            [local(packed), 1],
            [local(group), 4 * k * panelWidth(outer)],
            [from, 4 * k],
          );
          for (const run of weightRuns(v, phase.taps)) {
            setSum(l, weightAt, 4 * run.weight, [local(weights), 1], [local(group), 4 * v.weightGroup]);
            const steps = { at: weightAt, stepK: 4 * v.weightInner, stepColumn: 4 * v.weightOuter };
            packPanel(f, l, steps, panel, from, columns, run.length);
            const width = columns === tiles.TILE_COLUMNS ? columns : 4 * tiles.tailVectors(columns);
            l.get(panel)
              .i32(4 * width * run.length)
              .op(op.i32Add)
              .set(panel);
          }
        };
        forLoop(perGroup, j, 0, wholeColumns, tiles.TILE_COLUMNS, (l) =>
          panels(l, local(j), tiles.TILE_COLUMNS),
        );
        if (tail) panels(perGroup, wholeColumns, tail);
      });
  };

  /** A tile of `high` × `wide` output pixels at (row, column) of the located segment. */
  const product = (l: Code, phase: Phase, high: number, wide: number, width: number): void => {
    const part = tiles.cut(tile, high * wide, tiles.tailVectors(width));
    const pixels = Array.from({ length: high * wide }, (_, i) => [Math.floor(i / wide), i % wide] as const);
    const rowOffsets = pixels.map(([y, x]) => y * s.stepY * s.rowBytes + x * s.stepX * s.pixelBytes);
    const outOffsets = pixels.map(([y, x]) => 4 * (y * phase.rowStep + x * phase.pixelStep));
    setSum(l, outAt, 0, [local(outRow), 1], [local(column), 4 * phase.pixelStep]);
    setSum(l, whole, 0, [local(rowAt), 1], [local(column), s.stepX * s.pixelBytes]);
    l.get(panel).set(tile.columnsAt);
    tiles.clear(l, part);
    for (const { tap, length } of runsOf(v, phase.taps)) {
      const offset = (tap.y - origin.y) * s.rowBytes + (tap.x - origin.x) * s.pixelBytes;
      setSum(l, tile.rowsAt, offset, [local(whole), 1]);
      const steps = { rowOffsets, rowStep: 4, columnStep: 16 * part.vectors, count: length };
      tiles.addProducts(l, part, steps, options.madd ?? false);
    }
    tiles.storeTile(l, part, outAt, outOffsets, width);
  };

  const rowsOfSegment = (l: Code, phase: Phase, from: Amount, width: number): void => {
    const { fours, tails } = columnTiles(phase.columns);
    const line = (code: Code, high: number): void => {
      setSum(code, rowAt, 0, [local(base), 1], [local(group), 4 * inner], [local(row), s.stepY * s.rowBytes]);
      setSum(
        code,
        outRow,
        4 * phase.offset,
        [local(out), 1],
        [local(at.image), 4 * v.outputImage],
        [local(at.row), 4 * phase.rowStep],
        [local(row), 4 * phase.rowStep],
        [local(group), 4 * outer],
        [from, 4],
      );
      forLoop(code, column, 0, 4 * fours, 4, (inside) => product(inside, phase, high, 4, width));
      let done = 4 * fours;
      for (const wide of tails) {
        product(code.i32(done).set(column), phase, high, wide, width);
        done += wide;
      }
    };
    // Narrow images fill a tile with several rows.
    const high = phase.columns <= 2 ? tiles.TILE_ROWS / phase.columns : 1;
    if (high === 1) {
      forLoop(l, row, 0, local(rows), 1, (code) => line(code, 1));
      return;
    }
    const end = f.local();
    setSum(l, end, -high + 1, [local(rows), 1]);
    forLoop(l, row, 0, local(end), high, (code) => line(code, high));
    l.get(rows).i32(-high).op(op.i32And).set(end);
    forLoop(l, row, local(end), local(rows), 1, (code) => line(code, 1));
  };

  const eachSegment = (l: Code, body: (code: Code) => void): void =>
    forLoop(l, slot, 0, together === 1 ? 1 : local(count), 1, (code) => {
      setSum(code, index, 0, [local(first), 1], [local(slot), 1]);
      seg.locate(code, s, index, at);
      body(code);
    });

  const compute = (l: Code, phase: Phase, k: number, packedAt: number): void =>
    forLoop(l, group, 0, groups, 1, (perGroup) => {
      const columns = (code: Code, from: Amount, width: number): void => {
        setSum(
          code,
          panel,
          packedAt,
          [local(packed), 1],
          [local(group), 4 * k * panelWidth(outer)],
          [from, 4 * k],
        );
        eachSegment(code, (here) => {
          seg.rowsHere(here, s, at, phase.rows, rows);
          seg.segmentAddress(here, s, at, source, copies, local(slot), base);
          rowsOfSegment(here, phase, from, width);
        });
      };
      forLoop(perGroup, j, 0, wholeColumns, tiles.TILE_COLUMNS, (code) =>
        columns(code, local(j), tiles.TILE_COLUMNS),
      );
      if (tail) columns(perGroup, wholeColumns, tail);
    });

  /** Pixels that no tap reaches are zero. */
  const zero = (l: Code, phase: Phase): void =>
    eachSegment(l, (here) => {
      seg.rowsHere(here, s, at, phase.rows, rows);
      forLoop(here, row, 0, local(rows), 1, (line) =>
        forLoop(line, column, 0, phase.columns, 1, (pixel) => {
          setSum(
            pixel,
            outAt,
            4 * phase.offset,
            [local(out), 1],
            [local(at.image), 4 * v.outputImage],
            [local(at.row), 4 * phase.rowStep],
            [local(row), 4 * phase.rowStep],
            [local(column), 4 * phase.pixelStep],
          );
          pixel
            .get(outAt)
            .i32(0)
            .i32(4 * groups * outer)
            .memoryFill();
        }),
      );
    });

  [source, weights, out].forEach((local, i) =>
    c
      .get(ARGS)
      .memory(op.i32Load, 4 * i)
      .set(local),
  );
  c.get(SCRATCH).set(packed).get(SCRATCH).i32(packedBytes).op(op.i32Add).set(copies);
  c.get(START)
    .get(END)
    .op(op.i32GeS)
    .if((none) => none.op(op.return));
  pack();
  seg.clearCopies(c, s, copies, together);
  forLoop(c, unit, local(START), local(END), 1, (l) => {
    setSum(l, first, 0, [local(unit), together]);
    setSum(l, count, s.total, [local(first), -1]);
    setMin(l, count, local(count), together);
    if (!s.inPlace) eachSegment(l, (here) => seg.copySegment(f, here, s, at, source, copies, local(slot)));
    for (const { phase, k, packedAt } of phases) {
      if (phase.rows === 0 || phase.columns === 0) continue;
      if (k) compute(l, phase, k, packedAt);
      else zero(l, phase);
    }
  });
  const products = phases.reduce((n, { phase, k }) => n + phase.rows * phase.columns * k * outer * groups, 0);
  const units = Math.ceil(s.total / together);
  return {
    bytes: encodeModule({ run: f }, options),
    units: v.outputImage * s.total ? units : 0,
    unitCost: ((products + v.outputImage) * s.batch) / units / PRODUCTS_PER_NS,
    scratchBytes: packedBytes + together * s.bytes,
    claimCost: packedBytes / 8,
  };
}
