/** Images side by side in one picture. */
import sharp from "sharp";
import type { ImageShape } from "../data/source.js";
import { escaped } from "../report/escape.js";

/** Side of a tile, and the gap around it, in pixels. */
const [tile, gap] = [96, 6];

/**
 * A PNG with a row per list, its images enlarged to tiles from left to right; a caption stands above each row.
 *
 * @param rows captions and pixels, uint8 [height, width, channels] each
 */
export async function neighbourSheet(
  rows: readonly { readonly caption: string; readonly images: readonly Uint8Array[] }[],
  shape: ImageShape,
): Promise<Buffer> {
  const captionHeight = 20;
  const rowHeight = captionHeight + tile + gap;
  const columns = Math.max(1, ...rows.map(({ images }) => images.length));
  const [width, height] = [gap + columns * (tile + gap), rows.length * rowHeight + gap];
  const captions = rows
    .map(({ caption }, r) => `<text x="${gap}" y="${r * rowHeight + 15}">${escaped(caption)}</text>`)
    .join("");
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="13">${captions}</svg>`;
  const tiles = await Promise.all(
    rows.flatMap(({ images }, r) =>
      images.map(async (pixels, c) => ({
        input: await sharp(pixels, {
          raw: { width: shape.width, height: shape.height, channels: shape.channels },
        })
          .resize(tile, tile, { kernel: "nearest", fit: "fill" })
          .toColourspace("srgb")
          .png()
          .toBuffer(),
        left: gap + c * (tile + gap),
        top: r * rowHeight + captionHeight,
      })),
    ),
  );
  return sharp({ create: { width, height, channels: 3, background: "#ffffff" } })
    .composite([{ input: Buffer.from(text), left: 0, top: 0 }, ...tiles])
    .png()
    .toBuffer();
}
