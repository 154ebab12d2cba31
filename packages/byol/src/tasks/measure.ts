/** Measures a network's features during and after pre-training: one pass over the images, then every protocol. */
import { type DataSource, type ImageSet, labelledPart } from "../images/source.js";
import type { Accuracies } from "../metrics.js";
import { type Extractor, extractFeatures } from "./extract.js";
import type { Quick } from "./protocol.js";
import { quickProtocols } from "./protocols/index.js";

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

/**
 * Accuracies by quick protocols on the held-out images; null without labels.
 *
 * @param note told of what is measured otherwise than `settings` say
 * @throws the reason of the extractor's signal where that is aborted
 */
export async function measure(
  extractor: Extractor,
  data: DataSource,
  settings: MeasureSettings,
  quick: readonly Quick[] = quickProtocols,
  note?: (text: string) => void,
): Promise<Accuracies> {
  const none = Object.fromEntries(quick.map(({ key }) => [key, null]));
  const { device, signal } = extractor;
  const classes = data.classes.length;
  if (classes === 0) return none;
  const known = data.train.labels ? labelledPart(data.train) : data.splits?.trainval;
  if (!known?.labels) return none;
  const featuresOf = (set: ImageSet, limit: number) => extractFeatures(extractor, set, data.image, limit);
  const bank = await featuresOf(known, settings.bank);
  const held = await featuresOf(data.heldOut, settings.queries);
  if (bank.labels.length === 0 || held.labels.length === 0) return none;
  const found: Record<string, number> = {};
  for (const { key, accuracy } of quick)
    found[key] = await accuracy(device, bank, held, classes, { ...settings, signal, note });
  return found;
}
