/** What a network makes of a set of images: one pass on the device, without augmentation. */
import type { Device, Tensor } from "@dawnstrap/tensor";
import { plainViews } from "../images/augment/view.js";
import type { ImageSettings } from "../images/settings.js";
import type { ImageSet, ImageShape } from "../images/source.js";
import { TrainingError } from "../errors.js";
import { permutation } from "../images/streams.js";
import { turn, unlessAborted } from "../turn.js";
import type { Labelled } from "./features.js";

/** Images in one pass of the network. */
const chunk = 256;

/** Features, and the place in its set of the image that each row belongs to. */
export interface Extracted extends Labelled {
  readonly places: Int32Array;
}

/** What makes features of images. */
export interface Extractor {
  readonly device: Device;
  /** float32 [images, size, size, channels], normalised, to features [images, width]. */
  readonly forward: (views: Tensor) => Tensor;
  /** How images are brought to the network. */
  readonly image: ImageSettings;
  /** Ends a pass before its end. */
  readonly signal?: AbortSignal;
  /** Told how many images have passed. */
  readonly onImages?: (done: number) => void;
}

/**
 * Features of up to `limit` images of a set (a fixed choice of them); unreadable ones are left out.
 *
 * @param shape of the set's images, as they are stored
 * @throws TrainingError when a feature is not a finite number; the reason of `signal` where that is aborted
 */
export async function extractFeatures(
  { device, forward, image, signal, onImages }: Extractor,
  set: ImageSet,
  shape: ImageShape,
  limit = Number.POSITIVE_INFINITY,
): Promise<Extracted> {
  const places =
    set.length > limit
      ? [...permutation(0, "subset", 0, set.length)].slice(0, limit)
      : [...Array(set.length).keys()];
  const rows = Math.min(chunk, Math.max(1, places.length));
  const bytes = shape.height * shape.width * shape.channels;
  const pass = device.capture((images: Tensor) => forward(plainViews(images, image)));
  const parts: Float32Array[] = [];
  const labels: number[] = [];
  const kept: number[] = [];
  let width = 0;
  try {
    for (let from = 0; from < places.length; from += rows) {
      const wanted = places.slice(from, from + rows);
      await turn(signal);
      const read = await unlessAborted(Promise.all(wanted.map((place) => set.read(place))), signal);
      // Always a whole chunk, the rest of the last one left black: another shape would be another program.
      const pixels = new Uint8Array(rows * bytes);
      let filled = 0;
      for (const [i, one] of read.entries()) {
        if (!one) continue;
        pixels.set(one, filled++ * bytes);
        labels.push(set.labels?.[wanted[i]!] ?? 0);
        kept.push(wanted[i]!);
      }
      const part = await device.scope(async () => {
        const out = await pass(device.tensor(pixels, [rows, shape.height, shape.width, shape.channels]));
        width = out.shape[1]!;
        return Float32Array.from((await out.data()).subarray(0, filled * width));
      });
      parts.push(part);
      onImages?.(from + wanted.length);
    }
  } finally {
    pass.release();
  }
  const features = joined(parts);
  const bad = features.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0)
    throw new TrainingError(
      `features: feature ${bad % width} of image ${kept[Math.floor(bad / width)]} is ${features[bad]}; ` +
        "the encoder's weights or running averages are broken (was it trained past a NaN loss? take an earlier one)",
    );
  return { features, labels: Int32Array.from(labels), width, places: Int32Array.from(kept) };
}

/** Arrays one after another. */
export function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
