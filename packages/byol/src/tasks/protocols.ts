/** The protocols of the paper that leave the encoder as it is (byol-spec §2.1, §4.1, §6.2). */
import type { ImageSet } from "../images/source.js";
import type { Extracted } from "./extract.js";
import { type FrozenLinearOptions, trainFrozenLinear } from "./frozen-linear.js";
import { judgeOf } from "./judge.js";
import { type KnnOptions, knnScores, neighbours } from "./knn.js";
import { fitLinear, type LinearOptions } from "./linear.js";
import { logitsOf } from "./logistic.js";
import { accuracy, predictions } from "./metrics.js";
import { metricsOf, type Result } from "./result.js";
import { conclude, frozenFeatures, imagesOf, labelled, type Subject, toChooseBy } from "./subject.js";
import { lambdaGrid, lambdaIterations, transferLinear } from "./transfer.js";

/** Metrics of scores on images that have one class each. */
const judged = ({ data, seed }: Subject, scores: ArrayLike<number>, labels: Int32Array) => ({
  metrics: metricsOf(scores, labels, data.classes.length, seed),
  test: labels.length,
});

/** k nearest neighbours, the bank being the training images (§6.2). */
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

/** Logistic regression on cached features: fast, and not the paper's protocol, which augments. */
export async function evaluateLinearCached(subject: Subject, options: LinearOptions = {}): Promise<Result> {
  const { trainval, test: held } = labelled(subject);
  const started = performance.now();
  const featuresOf = frozenFeatures(subject);
  const { data, device } = subject;
  const train = await featuresOf(trainval);
  const test = await featuresOf(held);
  const probe = await fitLinear(device, train, data.classes.length, options);
  const scores = await probe.logits(test.features);
  const { asked, iterations: done, converged } = probe;
  return await conclude(subject, "linear (cached features)", {
    ...judged(subject, scores, test.labels),
    ...{ train: train.labels.length, asked, found: { iterations_done: done, converged }, started },
  });
}

/** The frozen-encoder SGD protocol of §2.1; the learning rate is chosen on the validation images. */
export async function evaluateLinear(
  subject: Subject,
  options: Omit<FrozenLinearOptions, "seed" | "onStep"> = {},
): Promise<Result> {
  const { train, val: validation, test: held } = labelled(subject);
  const started = performance.now();
  const { data, device, encoder, seed, note } = subject;
  const val = toChooseBy(validation, data);
  const trained = await trainFrozenLinear(device, encoder, imagesOf(subject, train), {
    ...options,
    seed,
    onStep: (step, steps) => {
      if ((step + 1) % 100 === 0) note?.(`linear: step ${step + 1} of ${steps}`);
    },
  });
  const featuresOf = frozenFeatures(subject);
  const { features, labels } = await featuresOf(val);
  const classes = data.classes.length;
  const accuracies = (await trained.logits(features)).map((logits) =>
    accuracy(predictions(logits, classes), labels),
  );
  const best = accuracies.indexOf(Math.max(...accuracies));
  const test = await featuresOf(held);
  const scores = (await trained.logits(test.features))[best]!;
  const { rates, epochs, batch, steps, regularised, augment } = trained;
  const asked = { rates, epochs, batch, steps, regularised, augment };
  const changed = [...(augment === "view" ? ["augmented"] : []), ...(regularised ? ["regularised"] : [])];
  const found = { validation_accuracies: accuracies, chosen: { rate: rates[best] } };
  return await conclude(subject, changed.length ? `linear (${changed.join(", ")})` : "linear", {
    ...judged(subject, scores, test.labels),
    ...{ train: train.length, validation: val.length, asked, found, started },
  });
}

/**
 * Frozen features and L-BFGS over the λ grid (§4.1); one-vs-rest where images show several classes. Unlike for the other
 * protocols the whole of a stored image is seen, not its centre.
 */
export async function evaluateTransfer(
  subject: Subject,
  {
    lambdas = lambdaGrid,
    iterations = lambdaIterations,
  }: { lambdas?: readonly number[]; iterations?: number } = {},
): Promise<Result> {
  const judge = judgeOf(subject);
  const started = performance.now();
  const { data, device, note } = subject;
  const { splits } = judge;
  toChooseBy(splits.val, data);
  const featuresOf = frozenFeatures(subject, { ...subject.encoder.image, centre: 1 });
  const [train, validation, test] = [
    await featuresOf(splits.train),
    await featuresOf(splits.val),
    await featuresOf(splits.test),
  ];
  const asSet = (set: ImageSet, rows: Extracted) => ({
    features: rows.features,
    targets: judge.targets(set, rows),
  });
  const found = await transferLinear(
    device,
    train.width,
    asSet(splits.train, train),
    asSet(splits.val, validation),
    (logits) => judge.score(logits, splits.val, validation),
    {
      lambdas,
      iterations,
      onLambda: (_, lambda, s) =>
        note?.(`λ ${lambda.toExponential(2)}: validation ${(100 * s).toFixed(1)} %`),
    },
  );
  if (found.atEdge) note?.(`λ ${found.lambda} stands at an end of the grid: a better one may lie beyond`);
  const scores = await logitsOf(device, test.features, test.width, found.parameters);
  const { scores: validation_scores, lambda, atEdge: at_edge } = found;
  return await conclude(subject, "transfer", {
    metrics: judge.metrics(scores, splits.test, test),
    ...{
      train: train.labels.length,
      validation: validation.labels.length,
      test: test.labels.length,
      started,
    },
    asked: { lambdas, iterations, centre: 1 },
    found: { validation_scores, chosen: { lambda }, at_edge },
  });
}
