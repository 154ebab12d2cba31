/** The linear probe with a handful of labels a class: the mean over fixed subsets, since one subset is luck. */
import type { Device } from "@dawnstrap/tensor";
import { Stream } from "../images/streams.js";
import { type Labelled, rowsOf } from "./features.js";
import { linearAccuracy } from "./linear.js";

export interface FewShotOptions {
  /** Labelled images of each class. Default 10. */
  readonly perClass?: number;
  /** Subsets averaged over. Default 10. */
  readonly subsets?: number;
  /** Draws the subsets. The default is constant, so that different networks are measured on the same ones. */
  readonly seed?: number;
  /** Ends it before its end: its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** Rows of a subset: `perClass` of each class (all of a class that has fewer), drawn without replacement. */
export function drawSubset(
  labels: Int32Array,
  classes: number,
  perClass: number,
  seed: number,
  subset: number,
): number[] {
  const rows: number[] = [];
  for (let c = 0; c < classes; c++) {
    const members = [...labels.keys()].filter((i) => labels[i] === c);
    rows.push(...new Stream(seed, "fewShot", subset, c).shuffle(members).slice(0, perClass));
  }
  return rows;
}

/** Mean share of held-out images that probes on a few labels a class get right. */
export async function fewShotAccuracy(
  device: Device,
  train: Labelled,
  test: Labelled,
  classes: number,
  options: FewShotOptions = {},
): Promise<number> {
  const { perClass = 10, subsets = 10, seed = 0, signal } = options;
  let sum = 0;
  for (let k = 0; k < subsets; k++) {
    const rows = drawSubset(train.labels, classes, perClass, seed, k);
    sum += await linearAccuracy(device, rowsOf(train, rows), test, classes, { signal });
  }
  return sum / subsets;
}
