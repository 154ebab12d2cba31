// Decodes one image after the other. Plain JavaScript, because a worker is started from its file as it stands.
import { parentPort } from "node:worker_threads";
import sharp from "sharp";

// The pool already runs one worker a core.
sharp.concurrency(1);
sharp.cache(false);

parentPort.on("message", async ({ file, mostPixels, mostBytes, ...wanted }) => {
  try {
    const answer = await answerTo(file, wanted, mostPixels, mostBytes);
    parentPort.postMessage(answer, answer.pixels ? [answer.pixels.buffer] : []);
  } catch (error) {
    const reason = String(error?.message ?? error).split("\n")[0];
    parentPort.postMessage({ reason });
  }
});

async function answerTo(file, wanted, mostPixels, mostBytes) {
  const foreign = foreignFormat(file);
  if (foreign) return { reason: foreign };
  // Headers only; the limits are ours, and said in our words.
  const header = await sharp(file, { limitInputPixels: false }).metadata();
  const { width, height, autoOrient } = header;
  if (width * height > mostPixels)
    return { reason: `its ${width}×${height} pixels are more than the ${mostPixels} that are decoded` };
  if (wanted.measure) return { size: [autoOrient.height, autoOrient.width] };
  const needs = bytesToDecode(header);
  if (needs > mostBytes) return { needs };
  return { pixels: wanted.boxes ? await boxesOf(file, wanted) : await pixelsOf(file, wanted) };
}

/** Why a file is none of the formats that are promised, by its first bytes; its name may be that of another of them. */
function foreignFormat(file) {
  if (file.length === 0) return "it is empty";
  const at = (first, ...bytes) => bytes.every((byte, i) => file[first + i] === byte);
  const jpeg = at(0, 0xff, 0xd8, 0xff);
  const png = at(0, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const webp = at(0, 0x52, 0x49, 0x46, 0x46) && at(8, 0x57, 0x45, 0x42, 0x50);
  return jpeg || png || webp ? undefined : "it is no JPEG, PNG or WebP";
}

/**
 * Bytes that decoding takes at most. Rows of a plain JPEG or PNG are decoded one after the other and need next to nothing,
 * unless the image is turned; the other kinds lie in memory whole, those of WebP with room to work.
 */
function bytesToDecode({ format, width, height, channels, depth, isProgressive, orientation = 1 }) {
  const sample = depth === "ushort" ? 2 : 1;
  const turned = orientation > 1 ? channels * sample : 0;
  if (format === "webp") return width * height * (8 + turned);
  const whole = isProgressive ? channels * (format === "jpeg" ? 2 : sample) : 0;
  return width * height * (whole + turned);
}

/** One box above the other. */
async function boxesOf(file, { boxes, ...wanted }) {
  const all = new Uint8Array(boxes.length * wanted.size * wanted.size * wanted.channels);
  let at = 0;
  // One after the other: each may take all of the memory that was asked for.
  for (const box of boxes) {
    const part = await pixelsOf(file, { ...wanted, box });
    all.set(part, at);
    at += part.length;
  }
  return all;
}

async function pixelsOf(file, { size, channels, background, box, kernel }) {
  const [r, g, b] = background;
  // "error" refuses truncated and corrupt files, and lets pass those with a harmless warning.
  let image = sharp(file, { failOn: "error", limitInputPixels: false })
    .autoOrient()
    .flatten({ background: { r, g, b } });
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
