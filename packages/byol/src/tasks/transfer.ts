/**
 * Transfer by linear classification of frozen features (paper, App. D.2): ℓ2-regularised logistic regression by L-BFGS over
 * a grid of penalties λ, chosen on validation images, fitted again on training and validation images together.
 *
 * As scikit-learn and the open re-implementation have it, the cross-entropy is summed over the images and the bias is not
 * penalised: the objective is Σ_i loss_i + λ/2·‖W‖². Features are taken as they are.
 */
import type { Device } from "@dawnstrap/tensor";
import { LogisticProblem, logitsOf, type Targets } from "./logistic.js";

/** 45 values, 10^0.25 apart, from 1e-6 to 1e5. */
export const lambdaGrid: readonly number[] = Array.from({ length: 45 }, (_, i) => 10 ** (-6 + i / 4));

/** L-BFGS iterations for each λ, at most. */
export const lambdaIterations = 100;

export interface TransferSet {
  /** Row-major [count, width]. */
  readonly features: Float32Array;
  readonly targets: Targets;
}

export interface TransferOptions {
  readonly lambdas?: readonly number[];
  /** L-BFGS iterations for each λ, at most. Default `lambdaIterations`. */
  readonly iterations?: number;
  readonly onLambda?: (index: number, lambda: number, score: number) => void;
}

export interface Transferred {
  readonly lambda: number;
  /** What the validation images said of every λ. */
  readonly scores: readonly number[];
  /** Of the fit on training and validation images; row-major [width + 1, classes]. */
  readonly parameters: Float64Array;
  /** Whether the search for λ ended at an end of the grid. */
  readonly atEdge: boolean;
}

/**
 * Chooses λ and fits.
 *
 * From the greatest λ down each fit starts from the one before, which the next minimum lies near.
 *
 * @param score of logits on the validation images, row-major [count, classes]; greater is better
 */
export async function transferLinear(
  device: Device,
  width: number,
  train: TransferSet,
  validation: TransferSet,
  score: (logits: Float32Array) => number,
  options: TransferOptions = {},
): Promise<Transferred> {
  const { lambdas = lambdaGrid, iterations = lambdaIterations } = options;
  const order = [...lambdas.keys()].sort((a, b) => lambdas[b]! - lambdas[a]!);
  const count = train.features.length / width;
  const problem = new LogisticProblem(device, train.features, width, train.targets);
  const scores = new Array<number>(lambdas.length).fill(Number.NaN);
  let parameters = new Float64Array(problem.size);
  try {
    for (const i of order) {
      // The problem's loss is the mean over the images.
      const fitted = await problem.minimise(lambdas[i]! / count, { iterations, tolerance: 1e-5 }, parameters);
      parameters = Float64Array.from(fitted.at);
      scores[i] = score(await logitsOf(device, validation.features, width, parameters));
      options.onLambda?.(i, lambdas[i]!, scores[i]!);
    }
  } finally {
    problem.release();
  }
  // Of equal scores the greatest penalty: the simplest of the models.
  const best = order.reduce((a, b) => (scores[b]! > scores[a]! ? b : a));
  const both = joined(train, validation);
  const refit = new LogisticProblem(device, both.features, width, both.targets);
  const rows = both.features.length / width;
  const final = await refit
    .minimise(lambdas[best]! / rows, { iterations: 10 * iterations, tolerance: 1e-5 })
    .finally(() => refit.release());
  const ends = [order[0], order.at(-1)];
  return { lambda: lambdas[best]!, scores, parameters: final.at, atEdge: ends.includes(best) };
}

function joined(a: TransferSet, b: TransferSet): TransferSet {
  const features = new Float32Array(a.features.length + b.features.length);
  features.set(a.features);
  features.set(b.features, a.features.length);
  const { classes } = a.targets;
  if ("labels" in a.targets && "labels" in b.targets)
    return {
      features,
      targets: { labels: Int32Array.from([...a.targets.labels, ...b.targets.labels]), classes },
    };
  if ("memberships" in a.targets && "memberships" in b.targets)
    return {
      features,
      targets: {
        memberships: Float32Array.from([...a.targets.memberships, ...b.targets.memberships]),
        classes,
      },
    };
  throw new TypeError("transfer: training and validation images have targets of different kinds");
}
