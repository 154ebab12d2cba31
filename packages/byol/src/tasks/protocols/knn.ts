/** k nearest neighbours among the training images (Wu et al. 2018). */
import { judged } from "../judge.js";
import { type KnnOptions, knnAccuracy, knnScores, neighbours } from "../knn.js";
import { choice, flag, positive, whole } from "../options.js";
import { defineProtocol } from "../protocol.js";
import type { Result } from "../result.js";
import { conclude, frozenFeatures, labelled, type Subject } from "../subject.js";
import { classification } from "./names.js";

/** k nearest neighbours, the bank being the training images. */
export async function evaluateKnn(subject: Subject, options: KnnOptions = {}): Promise<Result> {
  const { trainval, test: held } = labelled(subject);
  const started = performance.now();
  const featuresOf = frozenFeatures(subject);
  const { data, device } = subject;
  const bank = await featuresOf(trainval);
  const test = options.leaveOneOut ? bank : await featuresOf(held);
  const scores = await knnScores(device, bank, test.features, data.classes.length, options);
  const { distance = "cosine", vote = "weighted", temperature = 0.1, leaveOneOut = false } = options;
  const wanted = options.k ?? 200;
  const k = neighbours(wanted, bank.labels.length);
  if (k < wanted) subject.note?.(`knn: ${k} neighbours, a fifth of the bank, not ${wanted}`);
  const asked = { k, distance, vote, temperature, leave_one_out: leaveOneOut };
  const train = bank.labels.length;
  return await conclude(subject, leaveOneOut ? "knn (leave one out)" : "knn", {
    ...judged(subject, scores, test.labels),
    ...{ train, asked, started },
  });
}

export const knn = defineProtocol({
  name: "knn",
  about: "k nearest neighbours among the training images",
  options: {
    k: whole(1, "n", "neighbours; a small bank uses a fifth of itself at most", 200),
    temperature: positive("t", "T of the vote exp(cos / T)", 0.1),
    distance: choice(["cosine", "euclidean"]),
    vote: choice(["weighted", "majority"]),
    leaveOneOut: flag("measure on the training images, each without itself"),
  },
  run: evaluateKnn,
  metrics: classification,
  quick: {
    key: "knn",
    title: "weighted kNN",
    accuracy: (device, bank, held, classes, { neighbours: k, signal }) =>
      knnAccuracy(device, bank, held, classes, { k, signal }),
  },
});
