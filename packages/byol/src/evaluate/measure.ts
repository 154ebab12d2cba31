/** Measures a network's features: one pass over the images, then every protocol on the host. */
import type { Device, Tensor } from "@dawnstrap/tensor";
import { plainViews } from "../augment/view.js";
import type { DataSource, ImageSet } from "../data/source.js";
import type { ByolNetwork } from "../network.js";
import type { Preset } from "../preset.js";
import type { Accuracies } from "../report/run-folder.js";
import { permutation } from "../streams.js";
import type { Labelled } from "./features.js";
import { fewShotAccuracy } from "./few-shot.js";
import { knnAccuracy } from "./knn.js";
import { linearAccuracy } from "./linear.js";

/** Images in one pass of the network. */
const chunk = 256;

/** Features of up to `limit` images of a set (a fixed choice of them), without augmentation; unreadable ones are left out. */
export async function extractFeatures(
  device: Device,
  network: ByolNetwork,
  set: ImageSet,
  preset: Preset,
  shape: DataSource["image"],
  limit: number,
): Promise<Labelled> {
  const width = network.encoder.featureSize;
  const pass = device.capture((images: Tensor) => network.forward(plainViews(images, preset.image)));
  const places =
    set.length > limit
      ? [...permutation(0, "subset", 0, set.length)].slice(0, limit)
      : [...Array(set.length).keys()];
  const features: Float32Array[] = [];
  const labels: number[] = [];
  const bytes = shape.height * shape.width * shape.channels;
  for (let from = 0; from < places.length; from += chunk) {
    const wanted = places.slice(from, from + chunk);
    const read = await Promise.all(wanted.map((place) => set.read(place)));
    // Always a whole chunk, the rest of the last one left black: another shape would be another program.
    const pixels = new Uint8Array(chunk * bytes);
    let rows = 0;
    for (const [i, image] of read.entries()) {
      if (!image) continue;
      pixels.set(image, rows++ * bytes);
      labels.push(set.labels?.[wanted[i]!] ?? 0);
    }
    const out = await pass(device.tensor(pixels, [chunk, shape.height, shape.width, shape.channels]));
    features.push(Float32Array.from((await out.data()).subarray(0, rows * width)));
  }
  pass.release();
  const all = new Float32Array(labels.length * width);
  let at = 0;
  for (const part of features) {
    all.set(part, at);
    at += part.length;
  }
  return { features: all, labels: Int32Array.from(labels), width };
}

/** Accuracies of kNN, linear probe and ten-labels-a-class probe on the held-out images; null without labels. */
export async function measure(
  device: Device,
  network: ByolNetwork,
  data: DataSource,
  preset: Preset,
): Promise<Accuracies> {
  const classes = data.classes.length;
  if (classes === 0) return { knn: null, linear: null, few_shot: null };
  const { bank: most, queries, neighbours: k, subsets } = preset.evaluate;
  const bank = await extractFeatures(device, network, data.train, preset, data.image, most);
  const held = await extractFeatures(device, network, data.heldOut, preset, data.image, queries);
  if (bank.labels.length === 0 || held.labels.length === 0)
    return { knn: null, linear: null, few_shot: null };
  return {
    knn: await knnAccuracy(device, bank, held, classes, { k }),
    linear: await linearAccuracy(device, bank, held, classes),
    few_shot: await fewShotAccuracy(device, bank, held, classes, { subsets }),
  };
}
