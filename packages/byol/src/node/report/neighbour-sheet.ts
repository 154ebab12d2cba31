/** A picture of what was searched for and of what was found: a row for each image, its neighbours to the right. */
import type { ImageShape } from "../../images/source.js";
import { sheet } from "./sheet.js";

const layout = { caption: 20, gap: 6, tile: 96 } as const;

/**
 * The sheet as PNG; a caption stands above each row.
 *
 * @param rows captions and pixels, uint8 [height, width, channels] each
 */
export function neighbourSheet(
  rows: readonly { readonly caption: string; readonly images: readonly Uint8Array[] }[],
  shape: ImageShape,
): Promise<Buffer> {
  const { caption: above, gap, tile } = layout;
  const pitch = above + tile + gap;
  const left = (column: number): number => gap + column * (tile + gap);
  const columns = Math.max(1, ...rows.map(({ images }) => images.length));
  return sheet(
    { width: left(columns), height: rows.length * pitch + gap, side: tile },
    rows.flatMap(({ images }, r) =>
      images.map((pixels, c) => ({ pixels, shape, left: left(c), top: r * pitch + above })),
    ),
    rows.map(({ caption }, r) => ({ text: caption, left: gap, base: r * pitch + 15 })),
  );
}
