/** Linear transfer: logistic regression on frozen features (paper, App. D.2). */
import type { ImageSet } from "../../images/source.js";
import type { Extracted } from "../extract.js";
import { judgeOf } from "../judge.js";
import { logitsOf } from "../logistic.js";
import { positives, whole } from "../options.js";
import { defineProtocol } from "../protocol.js";
import { transferred } from "../published.js";
import type { Result } from "../result.js";
import { conclude, frozenFeatures, type Subject, toChooseBy } from "../subject.js";
import { lambdaGrid, lambdaIterations, transferLinear } from "../transfer.js";
import { classification, precision } from "./names.js";

/**
 * Frozen features and L-BFGS over the λ grid (App. D.2); one-vs-rest where images show several classes. Unlike for the other
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
  const { data, device, note, meter } = subject;
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
  const tell = meter?.({
    ...{ what: "transfer", total: lambdas.length, units: "penalties" },
    shorter: "fewer --lambdas, or fewer --iterations",
  });
  let fits = 0;
  const found = await transferLinear(
    device,
    train.width,
    asSet(splits.train, train),
    asSet(splits.val, validation),
    (logits) => judge.score(logits, splits.val, validation),
    {
      lambdas,
      iterations,
      onLambda: (_, lambda, s) => {
        note?.(`λ ${lambda.toExponential(2)}: validation ${(100 * s).toFixed(1)} %`);
        tell?.(++fits);
      },
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

export const transfer = defineProtocol({
  name: "transfer",
  about: "logistic regression on frozen features, λ chosen on validation images (paper, App. D.2)",
  options: {
    lambdas: positives("penalties; default: 45 from 1e-6 to 1e5", lambdaGrid),
    iterations: whole(1, "n", "L-BFGS iterations for each λ", 100),
  },
  run: evaluateTransfer,
  metrics: { ...classification, ...precision },
  published: (protocol, data) => (protocol === "transfer" ? transferred(data, "linear") : undefined),
});
