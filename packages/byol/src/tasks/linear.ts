/**
 * Linear probe: multinomial logistic regression on standardised, cached features. Its minimum, unlike the end of some
 * epochs of SGD, depends on no learning rate and no seed.
 */
import type { Device } from "@dawnstrap/tensor";
import { DataError } from "../errors.js";
import { columnStatistics, type Labelled, standardise } from "./features.js";
import { LogisticProblem, logitsOf } from "./logistic.js";
import { accuracy, predictions } from "./metrics.js";

export interface LinearOptions {
  /** λ. Default 1 / number of images, as logistic regression libraries have it. */
  readonly penalty?: number;
  /** L-BFGS iterations at most. Default 150. */
  readonly iterations?: number;
  /** Ends the search before its end: its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

export interface LinearProbe {
  /** Logits of each row of raw features (standardised inside), row-major [rows, classes]. */
  logits(features: Float32Array): Promise<Float32Array>;
  /** Mean regularised loss reached. */
  readonly loss: number;
  readonly iterations: number;
  /** What it was fitted with, defaults filled in. */
  readonly asked: Required<Omit<LinearOptions, "signal">>;
  readonly converged: boolean;
}

/** Fits a probe. */
export async function fitLinear(
  device: Device,
  train: Labelled,
  classes: number,
  options: LinearOptions = {},
): Promise<LinearProbe> {
  const { width, labels } = train;
  const { penalty = 1 / labels.length, iterations = 150, signal } = options;
  if (labels.length === 0) throw new DataError("linear probe: there are no labelled images");
  const statistics = columnStatistics(train.features, width);
  const x = standardise(train.features, width, statistics);
  const problem = new LogisticProblem(device, x, width, { labels, classes });
  const fitted = await problem.minimise(penalty, { iterations, signal }).finally(() => problem.release());
  return {
    loss: fitted.value,
    iterations: fitted.iterations,
    asked: { penalty, iterations },
    converged: fitted.converged,
    logits: (features) => logitsOf(device, standardise(features, width, statistics), width, fitted.at),
  };
}

/** Share of held-out images that a probe fitted on `train` gets right. */
export async function linearAccuracy(
  device: Device,
  train: Labelled,
  test: Labelled,
  classes: number,
  options?: LinearOptions,
): Promise<number> {
  const probe = await fitLinear(device, train, classes, options);
  return accuracy(predictions(await probe.logits(test.features), classes), test.labels);
}
