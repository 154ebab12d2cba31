/**
 * Packing of the right operand of a tile product into panels: panel p holds, for each k, the tile's columns side by
 * side, so that the loop over k reads memory in order. Whole panels have 8 columns; the last one 4 or 8, zero-filled.
 */
import type { Code, Func } from "../assembler/assembler.js";
import { type Amount, forLoop, local, pushSum, setSum } from "../assembler/loops.js";
import { op } from "../assembler/opcodes.js";
import { tailVectors, TILE_COLUMNS } from "./tile.js";

/** Floats per k in all panels of `columns` columns. */
export const panelWidth = (columns: number): number =>
  Math.floor(columns / TILE_COLUMNS) * TILE_COLUMNS + 4 * tailVectors(columns % TILE_COLUMNS);

export interface PackSource {
  /** Local: address of element (k = 0, column = 0). */
  readonly at: number;
  /** Bytes between neighbours in k and between neighbouring columns. One of the two is 4. */
  readonly stepK: number;
  readonly stepColumn: number;
}

/**
 * Packs rows k = 0 … k−1 of one panel. `to` is a local with the address of the panel's first row to be written,
 * `firstColumn` the panel's first column, `columns` its valid columns (at most 8).
 */
export function packPanel(
  f: Func,
  c: Code,
  source: PackSource,
  to: number,
  firstColumn: Amount,
  columns: number,
  k: number,
): void {
  const vectors = columns === TILE_COLUMNS ? 2 : tailVectors(columns);
  const bytes = 16 * vectors;
  const [from, into, i] = [f.local(), f.local(), f.local()];
  const zero = f.local("v128");
  setSum(c, from, 0, [local(source.at), 1], [firstColumn, source.stepColumn]);
  c.get(to).set(into);
  if (columns < 4 * vectors) c.v128([0, 0, 0, 0]).set(zero);
  const scalarRow = (code: Code, offset: number): void => {
    if (columns < 4 * vectors)
      for (let v = 0; v < vectors; v++)
        code
          .get(into)
          .get(zero)
          .memory(op.v128Store, offset * bytes + 16 * v);
    for (let j = 0; j < columns; j++) {
      code
        .get(into)
        .get(from)
        .memory(op.f32Load, offset * source.stepK + j * source.stepColumn);
      code.memory(op.f32Store, offset * bytes + 4 * j);
    }
  };
  const advance = (code: Code, n: number): void => {
    code
      .get(from)
      .i32(n * source.stepK)
      .op(op.i32Add)
      .set(from)
      .get(into)
      .i32(n * bytes)
      .op(op.i32Add)
      .set(into);
  };
  if (source.stepColumn === 4) {
    forLoop(c, i, 0, k, 1, (l) => {
      if (columns < 4 * vectors) scalarRow(l, 0);
      else
        for (let v = 0; v < vectors; v++)
          l.get(into)
            .get(from)
            .memory(op.v128Load, 16 * v)
            .memory(op.v128Store, 16 * v);
      advance(l, 1);
    });
    return;
  }
  // Columns lie apart, k side by side: four columns × four k are turned at a time.
  const rest = columns < 4 * vectors ? k : k % 4;
  if (rest < k)
    forLoop(c, i, 0, k - rest, 4, (l) => {
      for (let v = 0; v < vectors; v++) {
        const rows = f.many(4, "v128");
        rows.forEach((at, j) => {
          l.get(from)
            .memory(op.v128Load, (4 * v + j) * source.stepColumn)
            .set(at);
        });
        transpose(f, l, rows).forEach((at, j) => {
          l.get(into)
            .get(at)
            .memory(op.v128Store, j * bytes + 16 * v);
        });
      }
      advance(l, 4);
    });
  forLoop(c, i, 0, rest, 1, (l) => {
    scalarRow(l, 0);
    advance(l, 1);
  });
}

/** Transposes four vectors of four; returns the locals of the result. */
export function transpose(f: Func, c: Code, rows: readonly number[]): number[] {
  const [a, b, d, e] = rows as [number, number, number, number];
  const pairs = [
    [a, b, [0, 4, 1, 5]],
    [d, e, [0, 4, 1, 5]],
    [a, b, [2, 6, 3, 7]],
    [d, e, [2, 6, 3, 7]],
  ] as const;
  const [p, q, r, s] = pairs.map(([x, y, lanes]) => {
    const at = f.local("v128");
    c.get(x).get(y).shuffle32(lanes).set(at);
    return at;
  }) as [number, number, number, number];
  const quads = [
    [p, q, [0, 1, 4, 5]],
    [p, q, [2, 3, 6, 7]],
    [r, s, [0, 1, 4, 5]],
    [r, s, [2, 3, 6, 7]],
  ] as const;
  return quads.map(([x, y, lanes]) => {
    const at = f.local("v128");
    c.get(x).get(y).shuffle32(lanes).set(at);
    return at;
  });
}

/** Address of panel `index` (a local), of whole panels with `k` rows each, in `into`. */
export const panelAddress = (c: Code, into: number, base: number, index: Amount, k: number): Code =>
  pushSum(c, 0, [local(base), 1], [index, 4 * TILE_COLUMNS * k]).set(into);
