/**
 * The register tile under every matrix product and convolution: `rows` × 4·`vectors` sums stay in registers while a
 * loop over k adds outer products. The rows' values are read one by one and spread over the lanes, the columns' as
 * vectors. Each sum is added up alone, in the order of k: no result depends on tiling or threads.
 *
 * 4 × 8 with one step per loop is the fastest on V8 (x64, 16 vector registers): 58 GFLOP/s where 8 × 8 reaches 35.
 * V8 sinks the arithmetic of a block below all its loads, so unrolled steps or larger tiles spill their registers.
 */
import type { Code, Func } from "../assembler/assembler.js";
import { op } from "../assembler/opcodes.js";

export const TILE_ROWS = 4;
export const TILE_COLUMNS = 8;

export interface Tile {
  readonly rows: number;
  readonly vectors: number;
  /** Locals: sums[row][vector]. */
  readonly sums: readonly (readonly number[])[];
  readonly columns: readonly number[];
  readonly spread: number;
  /** Locals for the addresses inside the loop over k. */
  readonly rowsAt: number;
  readonly columnsAt: number;
  readonly stepAt: number;
  readonly end: number;
}

export function newTile(f: Func): Tile {
  return {
    rows: TILE_ROWS,
    vectors: TILE_COLUMNS / 4,
    sums: Array.from({ length: TILE_ROWS }, () => f.many(TILE_COLUMNS / 4, "v128")),
    columns: f.many(TILE_COLUMNS / 4, "v128"),
    spread: f.local("v128"),
    rowsAt: f.local(),
    columnsAt: f.local(),
    stepAt: f.local(),
    end: f.local(),
  };
}

/** The upper left part of a tile. */
export function cut(tile: Tile, rows: number, vectors: number): Tile {
  return { ...tile, rows, vectors, sums: tile.sums.slice(0, rows).map((s) => s.slice(0, vectors)) };
}

export function clear(c: Code, tile: Tile): void {
  for (const at of tile.sums.flat()) c.v128([0, 0, 0, 0]).set(at);
}

export interface Steps {
  /** Byte offset of each row's value from `tile.rowsAt`. */
  readonly rowOffsets: readonly number[];
  /**
   * Bytes from one step to the next, or a table in memory (a local with its address, which is moved on): of each step,
   * the bytes from `tile.rowsAt`.
   */
  readonly rowStep: number | { readonly table: number };
  readonly columnStep: number;
  /** Steps: a number, or a local that holds one. At least 1. */
  readonly count: number | { readonly local: number };
}

/** Adds outer products; `tile.rowsAt` and `tile.columnsAt` hold the first addresses and are moved past the last step. */
export function addProducts(c: Code, tile: Tile, s: Steps, madd: boolean): void {
  const { columnsAt, columns, spread, end } = tile;
  const { rowStep } = s;
  const rowsAt = typeof rowStep === "number" ? tile.rowsAt : tile.stepAt;
  c.get(columnsAt);
  if (typeof s.count === "number") c.i32(s.count * s.columnStep);
  else c.get(s.count.local).i32(s.columnStep).op(op.i32Mul);
  c.op(op.i32Add).set(end);
  c.loop((l) => {
    if (typeof rowStep !== "number")
      l.get(rowStep.table).memory(op.i32Load).get(tile.rowsAt).op(op.i32Add).set(rowsAt);
    for (let v = 0; v < tile.vectors; v++)
      l.get(columnsAt)
        .memory(op.v128Load, 16 * v)
        .set(columns[v]!);
    for (let r = 0; r < tile.rows; r++) {
      l.get(rowsAt).memory(op.v128Load32Splat, s.rowOffsets[r]!).set(spread);
      for (let v = 0; v < tile.vectors; v++) {
        const sum = tile.sums[r]![v]!;
        l.get(spread).get(columns[v]!);
        if (madd) l.get(sum).op(op.f32x4RelaxedMadd).set(sum);
        else l.op(op.f32x4Mul).get(sum).op(op.f32x4Add).set(sum);
      }
    }
    if (typeof rowStep === "number") l.get(rowsAt).i32(rowStep).op(op.i32Add).set(rowsAt);
    else l.get(rowStep.table).i32(4).op(op.i32Add).set(rowStep.table);
    l.get(columnsAt).i32(s.columnStep).op(op.i32Add).tee(columnsAt).get(end).op(op.i32Ne).brIf(0);
  });
}

/** Reads sums back. Lanes beyond the valid columns get neighbours' values, which are never stored. */
export function loadTile(c: Code, tile: Tile, address: number, rowOffsets: readonly number[]): void {
  tile.sums.forEach((row, r) => {
    row.forEach((at, v) => {
      c.get(address)
        .memory(op.v128Load, rowOffsets[r]! + 16 * v)
        .set(at);
    });
  });
}

/** Adds stored sums to those that were begun at 0: long sums lose less so than by going on from what is stored. */
export function addTile(c: Code, tile: Tile, address: number, rowOffsets: readonly number[]): void {
  tile.sums.forEach((row, r) => {
    row.forEach((at, v) => {
      c.get(address)
        .memory(op.v128Load, rowOffsets[r]! + 16 * v)
        .get(at)
        .op(op.f32x4Add)
        .set(at);
    });
  });
}

/** Stores the first `columns` columns of every row. */
export function storeTile(
  c: Code,
  tile: Tile,
  address: number,
  rowOffsets: readonly number[],
  columns: number,
): void {
  tile.sums.forEach((row, r) => {
    row.forEach((at, v) => {
      storeLanes(c, address, at, rowOffsets[r]! + 16 * v, columns - 4 * v);
    });
  });
}

/** Stores the first `lanes` lanes of a vector. */
export function storeLanes(c: Code, address: number, vector: number, offset: number, lanes: number): void {
  c.get(address).get(vector);
  if (lanes >= 4) c.memory(op.v128Store, offset);
  else if (lanes === 1) c.memoryLane(op.v128Store32Lane, 0, offset);
  else {
    c.memoryLane(op.v128Store64Lane, 0, offset);
    if (lanes === 3)
      c.get(address)
        .get(vector)
        .memoryLane(op.v128Store32Lane, 2, offset + 8);
  }
}

/** How columns beyond the whole tiles are computed: four lanes where that is enough. */
export const tailVectors = (columns: number): number => Math.ceil(columns / 4);
