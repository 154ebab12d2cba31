/** What a report shows of the images: features and thumbnails of some of them, in one safetensors file. */
import { decodeSafetensors, encodeSafetensors, type RawTensor } from "@dawnstrap/nn";
import type { Device, Tensor } from "@dawnstrap/tensor";
import sharp from "sharp";
import type { DataSource } from "../../../images/source.js";
import { DataError } from "../../../errors.js";
import { extractFeatures } from "../../../tasks/extract.js";
import type { Preset } from "../../../presets/preset.js";

export interface Sample {
  /** float32 [count, width]: the encoder's features, in evaluation mode, without augmentation. */
  readonly features: Float32Array;
  readonly width: number;
  /** Class of each image; −1 where there are no labels. */
  readonly labels: Int32Array;
  readonly classes: readonly string[];
  /** uint8 [count, side, side, channels]. */
  readonly thumbnails: Uint8Array;
  readonly side: number;
  readonly channels: 1 | 3;
}

/** Images, at most, and pixels along a thumbnail's side, at most. */
const limits = { images: 500, side: 32 } as const;

/** A fixed choice of held-out images, or of the others where none are held out; undefined where they cannot be read. */
export async function sampleOf(
  device: Device,
  network: { forward(views: Tensor): Tensor },
  data: DataSource,
  preset: Preset,
  signal?: AbortSignal,
): Promise<Sample | undefined> {
  const set = data.heldOut.length > 1 ? data.heldOut : data.train;
  const forward = (views: Tensor) => network.forward(views);
  const found = await extractFeatures(
    { device, forward, image: preset.image, ...(signal && { signal }) },
    set,
    data.image,
    limits.images,
  );
  const { height, width, channels } = data.image;
  const side = Math.min(limits.side, height, width);
  const bytes = side * side * channels;
  const thumbnails = new Uint8Array(found.places.length * bytes);
  for (const [i, place] of found.places.entries()) {
    const pixels = await set.read(place);
    if (!pixels) return undefined;
    const small = sharp(pixels, { raw: { height, width, channels } })
      .resize(side, side, { fit: "fill" })
      .toColourspace(channels === 1 ? "b-w" : "srgb");
    thumbnails.set(await small.raw().toBuffer(), i * bytes);
  }
  if (found.places.length === 0) return undefined;
  const labels = set.labels ? found.labels : found.labels.map(() => -1);
  const { features, width: numbers } = found;
  return { features, width: numbers, labels, classes: data.classes, thumbnails, side, channels };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

export function encodeSample(sample: Sample): Uint8Array {
  const { labels, width, side, channels } = sample;
  const count = labels.length;
  const tensors: [string, RawTensor][] = [
    ["features", { dtype: "F32", shape: [count, width], bytes: bytesOf(sample.features) }],
    ["labels", { dtype: "I32", shape: [count], bytes: bytesOf(labels) }],
    ["thumbnails", { dtype: "U8", shape: [count, side, side, channels], bytes: sample.thumbnails }],
  ];
  return encodeSafetensors(tensors, { classes: JSON.stringify(sample.classes) });
}

/** @throws DataError or SafetensorsError when the file is not what encodeSample writes */
export function decodeSample(file: Uint8Array): Sample {
  const { tensors, metadata } = decodeSafetensors(file);
  const take = (name: string, dtype: string, rank: number): RawTensor => {
    const tensor = tensors.get(name);
    if (tensor?.dtype !== dtype || tensor.shape.length !== rank)
      throw new DataError(`it holds no ${name} of type ${dtype} and rank ${rank}`);
    return tensor;
  };
  const features = take("features", "F32", 2);
  const labels = take("labels", "I32", 1);
  const thumbnails = take("thumbnails", "U8", 4);
  const [count, side, otherSide, channels] = thumbnails.shape;
  if (features.shape[0] !== count || labels.shape[0] !== count)
    throw new DataError("features, labels and thumbnails are of different numbers of images");
  if (side !== otherSide || (channels !== 1 && channels !== 3))
    throw new DataError(`thumbnails of [${thumbnails.shape.slice(1)}] are no square images`);
  // Copied, so that they stand at a multiple of four bytes.
  const result = {
    features: new Float32Array(Uint8Array.from(features.bytes).buffer),
    labels: new Int32Array(Uint8Array.from(labels.bytes).buffer),
  };
  const bad = result.features.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) throw new DataError(`feature ${bad} is ${result.features[bad]}`);
  return {
    ...result,
    ...{ width: features.shape[1]!, thumbnails: thumbnails.bytes, side: side!, channels },
    classes: classesOf(metadata.classes),
  };
}

function classesOf(text = "[]"): string[] {
  try {
    const classes: unknown = JSON.parse(text);
    if (Array.isArray(classes)) return classes.map(String);
  } catch {
    // Reported below, with what is valid JSON but no list.
  }
  throw new DataError("its metadata hold no list of classes");
}
