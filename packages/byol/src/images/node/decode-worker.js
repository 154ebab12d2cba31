// Decodes one image after the other. Plain JavaScript, because a worker is started from its file as it stands.
import { parentPort } from "node:worker_threads";
import sharp from "sharp";

// The pool already runs one worker a core.
sharp.concurrency(1);
sharp.cache(false);

parentPort.on("message", async ({ id, file, ...wanted }) => {
  try {
    const answer = wanted.measure
      ? await sizeOf(file)
      : { pixels: wanted.boxes ? await boxesOf(file, wanted) : await pixelsOf(file, wanted) };
    parentPort.postMessage({ id, ...answer }, answer.pixels ? [answer.pixels.buffer] : []);
  } catch (error) {
    const reason = String(error?.message ?? error).split("\n")[0];
    parentPort.postMessage({ id, reason });
  }
});

/** The upright image's height and width, from the file's header. */
async function sizeOf(file) {
  const { autoOrient } = await sharp(file).metadata();
  return { size: [autoOrient.height, autoOrient.width] };
}

/** One box above the other. */
async function boxesOf(file, { boxes, ...wanted }) {
  const parts = await Promise.all(boxes.map((box) => pixelsOf(file, { ...wanted, box })));
  const all = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

async function pixelsOf(file, { size, channels, background, box, kernel }) {
  const [r, g, b] = background;
  // "error" refuses truncated and corrupt files, and lets pass those with a harmless warning.
  let image = sharp(file, { failOn: "error" }).autoOrient().flatten({ background: { r, g, b } });
  if (box) {
    // What lies below the box is not decoded.
    const [top, left, height, width] = box;
    image = image.extract({ top, left, height, width }).resize(size, size, { fit: "fill", kernel });
  } else image = image.resize(size, size, { fit: "cover", position: "centre" });
  image = channels === 1 ? image.greyscale() : image.toColourspace("srgb");
  const { data, info } = await image.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  if (info.channels !== channels || info.width !== size || info.height !== size)
    throw new Error(`decoded to ${info.width}×${info.height}×${info.channels}`);
  return new Uint8Array(data);
}
