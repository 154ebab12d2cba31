/** Measures a network's features during and after pre-training: one pass over the images, then every protocol. */
import type { DataSource, ImageSet } from "../images/source.js";
import type { Accuracies } from "../metrics.js";
import { type Extractor, extractFeatures } from "./extract.js";
import { fewShotAccuracy } from "./few-shot.js";
import { knnAccuracy } from "./knn.js";
import { linearAccuracy } from "./linear.js";

export interface MeasureSettings {
  /** Labelled images to learn from, at most. */
  readonly bank: number;
  /** Held-out images to measure with, at most. */
  readonly queries: number;
  /** k of kNN. */
  readonly neighbours: number;
  /** Draws of few labels that are averaged. */
  readonly subsets: number;
}

/** Accuracies of kNN, linear probe and ten-labels-a-class probe on the held-out images; null without labels. */
export async function measure(
  extractor: Extractor,
  data: DataSource,
  { bank: most, queries, neighbours: k, subsets }: MeasureSettings,
): Promise<Accuracies> {
  const none: Accuracies = { knn: null, linear: null, few_shot: null };
  const classes = data.classes.length;
  if (classes === 0) return none;
  const known = data.train.labels ? data.train : data.splits?.trainval;
  if (!known?.labels) return none;
  const featuresOf = (set: ImageSet, limit: number) => extractFeatures(extractor, set, data.image, limit);
  const bank = await featuresOf(known, most);
  const held = await featuresOf(data.heldOut, queries);
  if (bank.labels.length === 0 || held.labels.length === 0) return none;
  const { device } = extractor;
  return {
    knn: await knnAccuracy(device, bank, held, classes, { k }),
    linear: await linearAccuracy(device, bank, held, classes),
    few_shot: await fewShotAccuracy(device, bank, held, classes, { subsets }),
  };
}
