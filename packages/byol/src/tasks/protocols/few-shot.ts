/** A linear probe on a handful of labels a class. */
import { drawSubset, fewShotAccuracy } from "../few-shot.js";
import { rowsOf } from "../features.js";
import { fitLinear } from "../linear.js";
import { bootstrapMean, hits, predictions } from "../metrics.js";
import { whole } from "../options.js";
import { defineProtocol } from "../protocol.js";
import type { Result } from "../result.js";
import { conclude, frozenFeatures, labelled, type Subject } from "../subject.js";
import { classification } from "./names.js";

/**
 * Linear probes on few labels of each class: the mean over several draws, since one draw is luck. The interval is over the
 * held-out images, each counting by the share of draws whose probe gets it right.
 */
export async function evaluateFewShot(
  subject: Subject,
  { perClass = 10, subsets = 10 }: { readonly perClass?: number; readonly subsets?: number } = {},
): Promise<Result> {
  const { trainval, test: held } = labelled(subject);
  const started = performance.now();
  const featuresOf = frozenFeatures(subject);
  const { data, device, seed } = subject;
  const classes = data.classes.length;
  const train = await featuresOf(trainval);
  const test = await featuresOf(held);
  const right = new Float64Array(test.labels.length);
  for (let k = 0; k < subsets; k++) {
    const rows = drawSubset(train.labels, classes, perClass, seed, k);
    const probe = await fitLinear(device, rowsOf(train, rows), classes);
    const predicted = predictions(await probe.logits(test.features), classes);
    hits(predicted, test.labels).forEach((hit, i) => {
      right[i]! += hit / subsets;
    });
  }
  return await conclude(subject, "few-shot", {
    metrics: { top1: bootstrapMean(right, { seed }) },
    ...{ train: train.labels.length, test: test.labels.length, started },
    asked: { per_class: perClass, subsets },
  });
}

export const fewShot = defineProtocol({
  name: "few-shot",
  about: "linear probes on few labels of each class, the mean over several draws of them",
  options: {
    perClass: whole(1, "n", "labelled images of each class", 10),
    subsets: whole(1, "n", "draws", 10),
  },
  run: evaluateFewShot,
  metrics: classification,
  quick: {
    key: "few_shot",
    title: "ten labels a class",
    accuracy: (device, bank, held, classes, { subsets, signal }) =>
      fewShotAccuracy(device, bank, held, classes, { subsets, signal }),
  },
});
