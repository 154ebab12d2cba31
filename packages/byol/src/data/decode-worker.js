// Decodes one image after the other. Plain JavaScript, because a worker is started from its file as it stands.
import { parentPort } from "node:worker_threads";
import sharp from "sharp";

// The pool already runs one worker a core.
sharp.concurrency(1);
sharp.cache(false);

parentPort.on("message", async ({ id, file, size, channels, background }) => {
  try {
    const [r, g, b] = background;
    // "error" refuses truncated and corrupt files, and lets pass those with a harmless warning.
    let image = sharp(file, { failOn: "error" })
      .autoOrient()
      .flatten({ background: { r, g, b } })
      .resize(size, size, { fit: "cover", position: "centre" });
    image = channels === 1 ? image.greyscale() : image.toColourspace("srgb");
    const { data, info } = await image.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    if (info.channels !== channels || info.width !== size || info.height !== size)
      throw new Error(`decoded to ${info.width}×${info.height}×${info.channels}`);
    const pixels = new Uint8Array(data);
    parentPort.postMessage({ id, pixels }, [pixels.buffer]);
  } catch (error) {
    const reason = String(error?.message ?? error).split("\n")[0];
    parentPort.postMessage({ id, reason });
  }
});
