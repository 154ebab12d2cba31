/**
 * C = A·B in register tiles. A unit is a block of C; it holds the columns of B that it needs in packed panels, which
 * following units of the same columns reuse. Each element of C is summed in the order of k, in blocks of k whose sums
 * begin at 0 and are added to C, so every split over threads gives the same bits.
 */
import { encodeModule, Func, type Code } from "../assembler/assembler.js";
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
import { forLoop, local, pushSum, setMin, setSum } from "../assembler/loops.js";
import { op } from "../assembler/opcodes.js";
import { PANEL_BYTES } from "../cache.js";
import { packPanel, panelWidth } from "./pack.js";
import type { GemmParams } from "../../../families/gemm.js";
import * as tiles from "./tile.js";
import type { Binding } from "../../../program.js";

/** Steps of k per pass: a panel of B (16 KiB) and the rows of A beside it stay in the first-level cache. */
const K_BLOCK = 512;
/** Products per nanosecond that a tile reaches. */
export const PRODUCTS_PER_NS = 22;

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;

/** Sizes of a unit's block of C. */
function blockOf(
  { m, n, k, transA, batchShape }: GemmParams,
  units: number,
): { rows: number; columns: number } {
  const batches = batchShape.reduce((x, y) => x * y, 1);
  let columns = Math.max(16, Math.floor(PANEL_BYTES / (4 * k) / 8) * 8);
  columns = Math.min(roundUp(n, 8), columns, 512);
  let rows = Math.min(roundUp(m, 4), 64);
  const enough = (): boolean =>
    batches * Math.ceil(m / rows) * Math.ceil(n / columns) >= units || rows * columns * k < 2 ** 17;
  // Splitting columns repeats no packing of B; splitting rows repeats none of A.
  while (!enough() && columns > (transA ? 64 : 32)) columns = roundUp(columns / 2, 8);
  while (!enough() && rows > 8) rows = roundUp(rows / 2, 4);
  return { rows, columns };
}

export function compileGemm(p: GemmParams, _: readonly Binding[], options: WasmOptions): CompiledWasm {
  const { m, n, k, transA, transB, batchShape } = p;
  const batches = batchShape.reduce((x, y) => x * y, 1);
  const block = blockOf(p, unitsWanted(options, 16, 4));
  const [mUnits, nUnits] = [Math.ceil(m / block.rows), Math.ceil(n / block.columns)];
  // With few rows a panel would be read about as often as it is written.
  const packB = transB || m > 8;
  const packedBytes = packB ? 4 * k * panelWidth(block.columns) : 0;
  const f = new Func(runParams);
  const c = f.code;
  const tile = tiles.newTile(f);
  const { aBase, bBase, cBase, packed, packedA } = f.named("aBase", "bBase", "cBase", "packed", "packedA");
  const { a, b, out, unit, group, have, batch, row0, rows, column0, columns } = f.named(
    "a",
    "b",
    "out",
    "unit",
    "group",
    "have",
    "batch",
    "row0",
    "rows",
    "column0",
    "columns",
  );
  const { i, j, k0, steps, at, panel } = f.named("i", "j", "k0", "steps", "at", "panel");
  [aBase, bBase, cBase].forEach((base, s) =>
    c
      .get(ARGS)
      .memory(op.i32Load, 4 * s)
      .set(base),
  );
  c.get(SCRATCH).set(packed).get(SCRATCH).i32(packedBytes).op(op.i32Add).set(packedA);
  c.i32(-1).set(have);

  const packColumns = (code: Code): void => {
    const source = { at: b, stepK: transB ? 4 : 4 * n, stepColumn: transB ? 4 * k : 4 };
    code.get(packed).set(panel);
    code.get(columns).i32(-tiles.TILE_COLUMNS).op(op.i32And).set(steps);
    forLoop(code, j, 0, local(steps), tiles.TILE_COLUMNS, (l) => {
      pushSum(l, 0, [local(j), 1], [local(column0), 1]).set(at);
      packPanel(f, l, source, panel, local(at), tiles.TILE_COLUMNS, k);
      l.get(panel)
        .i32(4 * tiles.TILE_COLUMNS * k)
        .op(op.i32Add)
        .set(panel);
    });
    const tail = n % tiles.TILE_COLUMNS;
    if (!tail) return;
    code
      .get(steps)
      .get(columns)
      .op(op.i32LtS)
      .if((last) => {
        pushSum(last, 0, [local(steps), 1], [local(column0), 1]).set(at);
        packPanel(f, last, source, panel, local(at), tail, k);
      });
  };

  /** Rows of a transposed A, four by four, so that a tile finds its values side by side. */
  const packRows = (code: Code): void => {
    const tail = m % tiles.TILE_ROWS;
    const [from, to, l0] = [f.local(), f.local(), f.local()];
    code.get(packedA).set(to);
    forLoop(code, i, 0, local(rows), tiles.TILE_ROWS, (l) => {
      setSum(l, from, 0, [local(a), 1], [local(row0), 4], [local(i), 4]);
      const copy = (loop: Code, width: number): void => {
        forLoop(loop, l0, 0, k, 1, (one) => {
          if (width === 4) one.get(to).get(from).memory(op.v128Load).memory(op.v128Store);
          else
            for (let r = 0; r < width; r++)
              one
                .get(to)
                .get(from)
                .memory(op.f32Load, 4 * r)
                .memory(op.f32Store, 4 * r);
          one
            .get(from)
            .i32(4 * m)
            .op(op.i32Add)
            .set(from)
            .get(to)
            .i32(16)
            .op(op.i32Add)
            .set(to);
        });
      };
      if (!tail) return copy(l, 4);
      l.get(i)
        .i32(4)
        .op(op.i32Add)
        .get(rows)
        .op(op.i32LeS)
        .if(
          (whole) => copy(whole, 4),
          (part) => copy(part, tail),
        );
    });
  };

  const tileProduct = (code: Code, height: number, width: number): void => {
    const part = tiles.cut(tile, height, tiles.tailVectors(width));
    const rowOffsets = Array.from({ length: height }, (_, r) => 4 * n * r);
    setSum(
      code,
      out,
      0,
      [local(batch), 4 * m * n],
      [local(row0), 4 * n],
      [local(i), 4 * n],
      [local(column0), 4],
      [local(j), 4],
      [local(cBase), 1],
    );
    if (transA) setSum(code, tile.rowsAt, 0, [local(packedA), 1], [local(i), 4 * k], [local(k0), 16]);
    else setSum(code, tile.rowsAt, 0, [local(a), 1], [local(row0), 4 * k], [local(i), 4 * k], [local(k0), 4]);
    if (packB)
      setSum(code, tile.columnsAt, 0, [local(packed), 1], [local(j), 4 * k], [local(k0), 16 * part.vectors]);
    else
      setSum(code, tile.columnsAt, 0, [local(b), 1], [local(column0), 4], [local(j), 4], [local(k0), 4 * n]);
    tiles.clear(code, part);
    tiles.addProducts(
      code,
      part,
      {
        rowOffsets: Array.from({ length: height }, (_, r) => (transA ? 4 * r : 4 * k * r)),
        rowStep: transA ? 16 : 4,
        columnStep: packB ? 16 * part.vectors : 4 * n,
        count: k > K_BLOCK ? local(steps) : k,
      },
      options.madd ?? false,
    );
    if (k > K_BLOCK) code.get(k0).if((later) => tiles.addTile(later, part, out, rowOffsets));
    tiles.storeTile(code, part, out, rowOffsets, width);
  };

  const rowTiles = (code: Code, width: number): void => {
    const tail = m % tiles.TILE_ROWS;
    forLoop(code, i, 0, local(rows), tiles.TILE_ROWS, (l) => {
      if (!tail) return tileProduct(l, tiles.TILE_ROWS, width);
      l.get(i)
        .i32(tiles.TILE_ROWS)
        .op(op.i32Add)
        .get(rows)
        .op(op.i32LeS)
        .if(
          (whole) => tileProduct(whole, tiles.TILE_ROWS, width),
          (part) => tileProduct(part, tail, width),
        );
    });
  };

  const product = (code: Code): void => {
    forLoop(code, k0, 0, k, Math.min(k, K_BLOCK), (kLoop) => {
      if (k > K_BLOCK) setMin(setSum(kLoop, steps, k, [local(k0), -1]), steps, local(steps), K_BLOCK);
      const tail = n % tiles.TILE_COLUMNS;
      forLoop(kLoop, j, 0, local(columns), tiles.TILE_COLUMNS, (l) => {
        if (!tail) return rowTiles(l, tiles.TILE_COLUMNS);
        l.get(j)
          .i32(tiles.TILE_COLUMNS)
          .op(op.i32Add)
          .get(columns)
          .op(op.i32LeS)
          .if(
            (whole) => rowTiles(whole, tiles.TILE_COLUMNS),
            (part) => rowTiles(part, tail),
          );
      });
    });
  };

  forLoop(c, unit, local(START), local(END), 1, (l) => {
    l.get(unit).i32(mUnits).op(op.i32DivU).set(group);
    l.get(group).i32(nUnits).op(op.i32DivU).set(batch);
    setSum(l, row0, 0, [local(unit), block.rows], [local(group), -block.rows * mUnits]);
    setSum(l, column0, 0, [local(group), block.columns], [local(batch), -block.columns * nUnits]);
    setMin(setSum(l, rows, m, [local(row0), -1]), rows, local(rows), block.rows);
    setMin(setSum(l, columns, n, [local(column0), -1]), columns, local(columns), block.columns);
    l.get(aBase).set(a).get(bBase).set(b);
    l.get(batch).set(at);
    for (let axis = batchShape.length - 1; axis >= 0; axis--) {
      const digit = f.local();
      l.get(at).i32(batchShape[axis]!).op(op.i32RemU).set(digit);
      l.get(at).i32(batchShape[axis]!).op(op.i32DivU).set(at);
      setSum(l, a, 0, [local(a), 1], [local(digit), 4 * p.aStrides[axis]!]);
      setSum(l, b, 0, [local(b), 1], [local(digit), 4 * p.bStrides[axis]!]);
    }
    if (packB)
      l.get(group)
        .get(have)
        .op(op.i32Ne)
        .if((fresh) => {
          packColumns(fresh);
          fresh.get(group).set(have);
        });
    if (transA) packRows(l);
    product(l);
  });
  return {
    bytes: encodeModule({ run: f }, options),
    units: m && n && k ? batches * mUnits * nUnits : 0,
    unitCost: (Math.min(m, block.rows) * Math.min(n, block.columns) * k) / PRODUCTS_PER_NS,
    scratchBytes: packedBytes + (transA ? 4 * block.rows * k : 0),
    claimCost: packB ? (k * block.columns) / 2 : 0,
  };
}
