/**
 * Linear probe: multinomial logistic regression on standardised features,
 *     min_W,b  mean_i −log softmax(W·x_i + b)[y_i] + λ/2·‖W‖²,
 * which is convex: its minimum, unlike the end of some epochs of SGD, depends on no learning rate and no seed.
 */
import { DataError } from "../errors.js";
import { accuracy, columnStatistics, type Labelled, standardise } from "./features.js";
import { minimise, type Objective } from "./lbfgs.js";

export interface LinearOptions {
  /** λ. Default 1 / number of images, as logistic regression libraries have it. */
  readonly penalty?: number;
  /** L-BFGS iterations at most. Default 150. */
  readonly iterations?: number;
}

export interface LinearProbe {
  /** Class of each row of raw features (standardised inside). */
  predict(features: Float32Array): Int32Array;
  /** Mean regularised loss reached. */
  readonly loss: number;
  readonly iterations: number;
  readonly converged: boolean;
}

/** Fits a probe. */
export function fitLinear(train: Labelled, classes: number, options: LinearOptions = {}): LinearProbe {
  const { width } = train;
  const count = train.labels.length;
  if (count === 0) throw new DataError("linear probe: there are no labelled images");
  const statistics = columnStatistics(train.features, width);
  const x = standardise(train.features, width, statistics);
  const objective = crossEntropy(x, train.labels, width, classes, options.penalty ?? 1 / count);
  const fitted = minimise(objective, new Float64Array(classes * (width + 1)), {
    iterations: options.iterations ?? 150,
  });
  return {
    loss: fitted.value,
    iterations: fitted.iterations,
    converged: fitted.converged,
    predict(features) {
      const rows = standardise(features, width, statistics);
      const logits = new Float64Array(classes);
      return Int32Array.from({ length: rows.length / width }, (_, i) => {
        logitsOf(fitted.at, rows, i * width, width, logits);
        return logits.indexOf(Math.max(...logits));
      });
    },
  };
}

/** Share of held-out images that a probe fitted on `train` gets right. */
export function linearAccuracy(
  train: Labelled,
  test: Labelled,
  classes: number,
  options?: LinearOptions,
): number {
  return accuracy(fitLinear(train, classes, options).predict(test.features), test.labels);
}

/** Parameters are row-major [classes, width + 1], the bias last. */
function logitsOf(
  parameters: Float64Array,
  x: Float32Array,
  at: number,
  width: number,
  out: Float64Array,
): void {
  for (let c = 0; c < out.length; c++) {
    const row = c * (width + 1);
    let sum = parameters[row + width]!;
    for (let j = 0; j < width; j++) sum += parameters[row + j]! * x[at + j]!;
    out[c] = sum;
  }
}

function crossEntropy(
  x: Float32Array,
  labels: Int32Array,
  width: number,
  classes: number,
  penalty: number,
): Objective {
  const count = labels.length;
  const p = new Float64Array(classes);
  return (parameters, gradient) => {
    gradient.fill(0);
    let loss = 0;
    for (let i = 0; i < count; i++) {
      const at = i * width;
      logitsOf(parameters, x, at, width, p);
      let top = p[0]!;
      for (let c = 1; c < classes; c++) top = Math.max(top, p[c]!);
      let total = 0;
      const right = p[labels[i]!]! - top;
      for (let c = 0; c < classes; c++) total += p[c] = Math.exp(p[c]! - top);
      loss += (Math.log(total) - right) / count;
      for (let c = 0; c < classes; c++) {
        const error = (p[c]! / total - (c === labels[i] ? 1 : 0)) / count;
        const row = c * (width + 1);
        for (let j = 0; j < width; j++) gradient[row + j]! += error * x[at + j]!;
        gradient[row + width]! += error;
      }
    }
    for (let c = 0; c < classes; c++) {
      for (let j = 0, row = c * (width + 1); j < width; j++) {
        loss += 0.5 * penalty * parameters[row + j]! ** 2;
        gradient[row + j]! += penalty * parameters[row + j]!;
      }
    }
    return loss;
  };
}
