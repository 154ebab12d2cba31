/** Small sound image files, made by formula. */
import sharp, { type Sharp } from "sharp";

/** A ramp of colours, `side` pixels wide and high; `kind` turns the colours. */
export function ramp(side: number, kind = 0): Sharp {
  const pixels = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * (7 + kind)) & 255);
  return sharp(pixels, { raw: { width: side, height: side, channels: 3 } });
}

export const [jpeg, png, webp] = await Promise.all([
  ramp(24).jpeg().toBuffer(),
  ramp(20, 1).png().toBuffer(),
  ramp(22, 2).webp().toBuffer(),
]);
