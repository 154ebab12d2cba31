/** Tiles over the images: where they begin, and what is left of them at the lower and the right edge. */
import type { Code } from "../assembler/assembler.js";
import { forLoop } from "../assembler/loops.js";
import { op } from "../assembler/opcodes.js";
import { cutSegments, type Segments, type Sliding } from "../assembler/segments.js";
import { COPY_BYTES } from "../cache.js";
import { OUTPUTS, POINTS } from "./transforms.js";

/** Segments whose windows are tiles; the first tile begins at pixel (top, left) of the source. */
export const cutTiles = (
  source: Pick<Sliding, "batch" | "height" | "width" | "channels">,
  t: { readonly rows: number; readonly columns: number; readonly top: number; readonly left: number },
  atLeast = 1,
): Segments =>
  cutSegments(
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

/** Locals with the first row of tiles of a segment, a row within it, and a column of tiles. */
export interface Place {
  readonly first: number;
  readonly row: number;
  readonly column: number;
}

/** Visits a row of tiles over rows × columns outputs, each with the outputs that it has inside of the image. */
export function alongRow(
  c: Code,
  { first, row, column }: Place,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  visit: (c: Code, high: number, wide: number) => void,
): void {
  const [wholeY, wholeX] = [Math.floor(rows / OUTPUTS), Math.floor(columns / OUTPUTS)];
  const [restY, restX] = [rows % OUTPUTS, columns % OUTPUTS];
  const along = (code: Code, high: number): void => {
    forLoop(code, column, 0, wholeX, 1, (inside) => visit(inside, high, OUTPUTS));
    if (restX) visit(code.i32(wholeX).set(column), high, restX);
  };
  if (restY)
    c.get(first)
      .get(row)
      .op(op.i32Add)
      .i32(wholeY)
      .op(op.i32LtS)
      .if(
        (whole) => along(whole, OUTPUTS),
        (rest) => along(rest, restY),
      );
  else along(c, OUTPUTS);
}
