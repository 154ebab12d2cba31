/** Images and words laid out in one picture. */
import sharp from "sharp";
import type { ImageShape } from "../../images/source.js";
import { escaped } from "./escape.js";

/** Places are those of the upper left corner, in pixels. */
export interface Placed {
  /** uint8 [height, width, channels]. */
  readonly pixels: Uint8Array;
  readonly shape: ImageShape;
  readonly left: number;
  readonly top: number;
}

/** A line of text from `left` on, standing on `base`. */
export interface Words {
  readonly text: string;
  readonly left: number;
  readonly base: number;
  readonly bold?: boolean;
}

/** A PNG. Every image is brought to a square of `side` pixels, without smoothing: its own pixels can be seen. */
export async function sheet(
  { width, height, side }: { width: number; height: number; side: number },
  images: readonly Placed[],
  words: readonly Words[],
): Promise<Buffer> {
  const tiles = images.map(async ({ pixels, shape, left, top }) => {
    const tile = sharp(pixels, { raw: shape })
      .resize(side, side, { fit: "fill", kernel: "nearest" })
      .toColourspace("srgb");
    return { input: await tile.png().toBuffer(), left, top };
  });
  const lines = words.map(
    ({ text, left, base, bold }) =>
      `<text x="${left}" y="${base}"${bold ? ' font-weight="bold"' : ""}>${escaped(text)}</text>`,
  );
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `font-family="sans-serif" font-size="13" fill="#222">${lines.join("")}</svg>`;
  return sharp({ create: { width, height, channels: 3, background: "#f4f4f2" } })
    .composite([...(await Promise.all(tiles)), { input: Buffer.from(svg), left: 0, top: 0 }])
    .png()
    .toBuffer();
}
