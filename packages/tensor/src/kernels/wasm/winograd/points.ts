/** The arrays of the 36 points in scratch memory, and the matrix product at each. */
import type { Code } from "../assembler/assembler.js";
import { type Amount, forLoop, local, setSum } from "../assembler/loops.js";
import { op } from "../assembler/opcodes.js";
import { SCRATCH } from "../kernel.js";
import * as tiles from "../products/tile.js";
import { PRODUCTS } from "./transforms.js";

/** Powers of two between the arrays of the points would lay them all into a few lines of the caches. */
const APART = 64;
/** Bytes from one point's array of floats to the next. */
export const apart = (elements: number): number => 4 * elements + APART;

/** Moves an address on. */
export const next = (l: Code, at: number, by: number): Code => l.get(at).i32(by).op(op.i32Add).set(at);

/** Lays parts out one after another in the thread's scratch memory: sets their locals and returns the bytes of all. */
export function layOut<K extends string>(
  c: Code,
  locals: Readonly<Record<K, number>>,
  sizes: Readonly<Record<K, number>>,
): number {
  let bytes = 0;
  for (const key of Object.keys(sizes) as K[]) {
    setSum(c, locals[key], bytes, [local(SCRATCH), 1]);
    bytes += sizes[key];
  }
  return bytes;
}

/** An operand's array of all points, and its bytes from point to point and from row or column to the next. */
interface Array {
  readonly at: number;
  readonly pointBytes: number;
  readonly step: number;
}

export interface Product {
  readonly rows: Array & {
    readonly count: Amount;
    /** Bytes between the rows of a tile, and from one step of the sum to the next. */
    readonly apart: number;
    readonly along: number;
  };
  readonly columns: Array & { readonly count: Amount };
  /** Rows of floats. Kept sums go on from what stands there. */
  readonly sums: Array & { readonly kept: boolean };
  /** Steps of the sum. */
  readonly depth: Amount;
  readonly madd: boolean;
}

/** Locals that the loops use. */
interface Locals {
  readonly point: number;
  readonly i: number;
  readonly j: number;
  readonly to: number;
}

/** At each point, multiplies rows by columns in register tiles. */
export function multiply(
  l: Code,
  tile: tiles.Tile,
  { point, i, j, to }: Locals,
  { rows, columns, sums, depth, madd }: Product,
): void {
  const start = (c: Code, into: number, array: Array, ...more: [number, number][]): void => {
    const terms = more.map(([amount, factor]) => [local(amount), factor] as const);
    setSum(c, into, 0, [local(array.at), 1], [local(point), array.pointBytes], ...terms);
  };
  const offsets = (step: number): number[] => [0, 1, 2, 3].map((r) => r * step);
  forLoop(l, point, 0, PRODUCTS, 1, (perPoint) =>
    forLoop(perPoint, j, 0, columns.count, tiles.TILE_COLUMNS, (perPanel) =>
      forLoop(perPanel, i, 0, rows.count, tiles.TILE_ROWS, (c) => {
        start(c, tile.rowsAt, rows, [i, rows.step]);
        start(c, tile.columnsAt, columns, [j, columns.step]);
        start(c, to, sums, [i, sums.step], [j, 4]);
        if (sums.kept) tiles.loadTile(c, tile, to, offsets(sums.step));
        else tiles.clear(c, tile);
        const steps = {
          rowOffsets: offsets(rows.apart),
          rowStep: rows.along,
          columnStep: 4 * tiles.TILE_COLUMNS,
          count: depth,
        };
        tiles.addProducts(c, tile, steps, madd);
        tiles.storeTile(c, tile, to, offsets(sums.step), tiles.TILE_COLUMNS);
      }),
    ),
  );
}
