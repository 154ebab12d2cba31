/** What a run measures: at every step, now and then, and at its end. */

/** What is looked at now and then, on the lines of those steps. */
export interface WatchMetrics {
  /** Of the covariance of the ℓ2-normalised projections of a fixed set of images: 1 means all on one line. */
  readonly effective_rank?: number;
  /** ‖θ − ξ‖ / ‖θ‖. */
  readonly target_distance?: number;
  /** Weighted kNN on a subset of the held-out images. */
  readonly knn_accuracy?: number;
}

/** What is known of one step. */
export interface StepMetrics extends WatchMetrics {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
  /** Of methods with a target network. */
  readonly tau?: number;
  /** Mean standard deviation of the ℓ2-normalised online projections over the batch: near 0 means collapse. */
  readonly std: number;
  readonly images_per_second: number;
  /** ‖g‖ of the step's gradient over all parameters, before the guard. */
  readonly grad_norm?: number;
  /** Cross-entropy and accuracy of the online probe; absent without labels. */
  readonly probe_loss?: number;
  readonly probe_accuracy?: number;
  /** A warning, on the line of the step that gave rise to it. */
  readonly alarm?: string;
}

/** Shares of held-out images classified right, by the keys of the quick protocols; null where there are no labels. */
export type Accuracies = Readonly<Record<string, number | null>>;

export interface Summary {
  readonly device: string;
  readonly data: string;
  readonly preset: string;
  readonly seed: number;
  readonly epochs: number;
  readonly steps: number;
  /** From the start of the command to the end of the evaluation. */
  readonly seconds: number;
  /** Of the training steps alone. */
  readonly images_per_second: number;
  readonly loss_first: number;
  readonly loss_last: number;
  readonly random_init: Accuracies;
  readonly pretrained: Accuracies;
  /** What was not as the preset or the run has it: the k of a small bank, other kernels in a later part of the run. */
  readonly notes?: readonly string[];
}
