/** k nearest neighbours among the training images (Wu et al. 2018). */
import { judged } from "../judge.js";
import { type KnnOptions, knnAccuracy, knnScores, neighbours } from "../knn.js";
import { choice, flag, positive, wholeOrNone } from "../options.js";
import { defineProtocol } from "../protocol.js";
import type { Result } from "../result.js";
import { conclude, frozenFeatures, labelled, type Subject } from "../subject.js";
import { classification } from "./names.js";

/** What `neighbours` makes of `wanted`; says where they are fewer. */
function ofSmallBank(wanted: number, bank: number, note?: (text: string) => void): number {
  const k = neighbours(wanted, bank);
  if (k < wanted) note?.(`knn: ${k} neighbours, a fifth of the ${bank} images in the bank, not ${wanted}`);
  return k;
}

/**
 * k nearest neighbours, the bank being the training images. `settings.k` of the result is the k that voted.
 *
 * @throws DataError where `k` neighbours are asked for that the bank does not hold
 */
export async function evaluateKnn(subject: Subject, options: KnnOptions = {}): Promise<Result> {
  const { trainval, test: held } = labelled(subject);
  const started = performance.now();
  const featuresOf = frozenFeatures(subject);
  const { data, device } = subject;
  const bank = await featuresOf(trainval);
  const test = options.leaveOneOut ? bank : await featuresOf(held);
  const scores = await knnScores(device, bank, test.features, data.classes.length, options);
  const { distance = "cosine", vote = "weighted", temperature = 0.1, leaveOneOut = false } = options;
  const k = options.k ?? ofSmallBank(200, bank.labels.length, subject.note);
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
    k: wholeOrNone(1, "n", "neighbours (default: 200, or a fifth of the training images)"),
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
    accuracy: (device, bank, held, classes, { neighbours: wanted, signal, note }) =>
      knnAccuracy(device, bank, held, classes, { k: ofSmallBank(wanted, bank.labels.length, note), signal }),
  },
});
