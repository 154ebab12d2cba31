/** A folder of JPEGs that are as long and as costly to decode as photographs. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";

/** Smooth colours under fine noise: at quality 85 about 50 to 100 KB for 500×375, as in ImageNet. */
async function photograph(width: number, height: number, seed: number): Promise<Buffer> {
  let state = seed + 1;
  const random = () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return (state >>> 16) & 255;
  };
  const noise = (w: number, h: number) =>
    sharp(Uint8Array.from({ length: w * h * 3 }, random), { raw: { width: w, height: h, channels: 3 } });
  const fine = await noise(width, height).blur(0.7).png({ compressionLevel: 0 }).toBuffer();
  return noise(16, 12)
    .resize(width, height, { kernel: "cubic", fit: "fill" })
    .composite([{ input: fine, blend: "soft-light" }])
    .jpeg({ quality: 85 })
    .toBuffer();
}

/** Path of a new temporary folder of `count` JPEGs, and their mean size in bytes. */
export async function photographs(count: number, width: number, height: number) {
  const folder = await mkdtemp(join(tmpdir(), "bench-loader-"));
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const jpeg = await photograph(width, height, i);
    bytes += jpeg.length;
    await writeFile(join(folder, `${String(i).padStart(5, "0")}.jpg`), jpeg);
  }
  return { folder, bytes: bytes / count };
}
