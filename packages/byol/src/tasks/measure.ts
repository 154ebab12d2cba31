/** Measures a network's features during and after pre-training: one pass over the images, then every protocol. */
import type { Device, Tensor } from "@dawnstrap/tensor";
import type { DataSource, ImageSet } from "../images/source.js";
import type { Network } from "../learner/network.js";
import type { Preset } from "../presets/preset.js";
import type { Accuracies } from "../metrics.js";
import { extractFeatures } from "./extract.js";
import { fewShotAccuracy } from "./few-shot.js";
import { knnAccuracy } from "./knn.js";
import { linearAccuracy } from "./linear.js";

/** Accuracies of kNN, linear probe and ten-labels-a-class probe on the held-out images; null without labels. */
export async function measure(
  device: Device,
  network: Network,
  data: DataSource,
  preset: Preset,
): Promise<Accuracies> {
  const none: Accuracies = { knn: null, linear: null, few_shot: null };
  const classes = data.classes.length;
  if (classes === 0) return none;
  const { bank: most, queries, neighbours: k, subsets } = preset.evaluate;
  const known = data.train.labels ? data.train : data.splits?.trainval;
  if (!known?.labels) return none;
  const featuresOf = (set: ImageSet, limit: number) =>
    extractFeatures(device, (views: Tensor) => network.forward(views), set, preset.image, data.image, limit);
  const bank = await featuresOf(known, most);
  const held = await featuresOf(data.heldOut, queries);
  if (bank.labels.length === 0 || held.labels.length === 0) return none;
  return {
    knn: await knnAccuracy(device, bank, held, classes, { k }),
    linear: await linearAccuracy(device, bank, held, classes),
    few_shot: await fewShotAccuracy(device, bank, held, classes, { subsets }),
  };
}
