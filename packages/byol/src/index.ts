/** The public surface of @dawnstrap/byol. */
export { type Byol, byolLoss, byolStep } from "./methods/byol.js";
export {
  gradients,
  type Learner,
  learnerState,
  learnerStep,
  type Objective,
  stepNumbers,
  type Views,
  withProbe,
} from "./learner/learner.js";
export { regression, spread, standardise } from "./learner/loss.js";
export { type Head, head, headSchema, type Target, targetSchema } from "./learner/settings.js";
export { type Heads, Network, type Outputs } from "./learner/network.js";
export { crossCorrelationLoss } from "./methods/barlow-twins.js";
export { infoNce, KeyQueue } from "./methods/moco.js";
export { ntXent } from "./methods/simclr.js";
export { negativeCosine } from "./methods/simsiam.js";
export { methods } from "./methods/index.js";
export { defineMethod, type Method, type MethodDefinition, type MethodSettings } from "./methods/method.js";
export { variantNames } from "./methods/variants.js";
export { parsePreset, type Preset } from "./presets/preset.js";
export { override } from "./config/override.js";
export { presetFor, presetNamed, presets } from "./presets/index.js";
export { withMethod } from "./presets/with-method.js";
export { makeByol, makeLearner, makeSchedule, totalStepsOf, warmupStepsOf } from "./training/setup.js";
export { pretrain, type PretrainOptions, resume, type ResumeOptions, type RunOptions } from "./node/train.js";
export { planReport } from "./plan/report.js";
export { type PlanOptions, planRun, type RunPlan } from "./plan/plan.js";
export { planTraining, type Training, type TrainOptions } from "./training/trainer.js";
export { DataError, Interrupted, TrainingError, UsageError } from "./errors.js";

export { type CheckpointOptions, Checkpoints } from "./node/run/checkpoints/checkpoints.js";
export { type Checkpoint, checksum } from "./node/run/checkpoints/format.js";
export type { RunRecord } from "./node/run/checkpoints/record.js";
export { loadState, readState } from "./node/run/checkpoints/state.js";
export { CheckpointStore, findCheckpoint, hasCheckpoints } from "./node/run/checkpoints/store.js";

export { drawViews, type ViewGeometry } from "./images/augment/parameters.js";
export { firstView, secondView, type ViewAugmentation } from "./images/augment/settings.js";
export { augment, makeViews, normalise, plainViews } from "./images/augment/view.js";

export type { ImageFormat, ImageSettings } from "./images/settings.js";
export { BatchLoader, type Batch } from "./images/loader.js";
export { openDigits } from "./images/node/digits.js";
export { openEmoji } from "./images/node/emoji.js";
export { openFolder } from "./images/node/folder.js";
export { openData } from "./images/node/open.js";
export {
  type DataOptions,
  type DataSource,
  type ImageSet,
  type ImageShape,
  memorySet,
  type SkippedImage,
  type Splits,
  subset,
} from "./images/source.js";

export type { Labelled } from "./tasks/features.js";
export { fewShotAccuracy } from "./tasks/few-shot.js";
export { type KnnOptions, knnAccuracy, knnPredict, knnScores, nearestRows } from "./tasks/knn.js";
export { fitLinear, linearAccuracy, type LinearProbe } from "./tasks/linear.js";
export { LogisticProblem, logitsOf, type Targets } from "./tasks/logistic.js";
export * from "./tasks/metrics.js";
export { type Extracted, extractFeatures } from "./tasks/extract.js";
export { measure } from "./tasks/measure.js";
export {
  buildEncoder,
  type EncoderFile,
  type EncoderOptions,
  randomEncoder,
  readEncoder,
} from "./tasks/node/encoder-file.js";
export { type Embeddings, embeddingsFormat, npyOf, parquetOf } from "./tasks/node/embed.js";
export { type FrozenLinearOptions, paperRates, trainFrozenLinear } from "./tasks/frozen-linear.js";
export * from "./tasks/protocols.js";
export * from "./tasks/tuning.js";
export type { Subject } from "./tasks/node/subject.js";
export { metricsOf, type Metrics, type Result } from "./tasks/result.js";
export { resultTable } from "./tasks/result-table.js";
export { balancedSubset, listedSubset } from "./tasks/node/subsets.js";
export {
  Classifier,
  FineTuner,
  type FineTuneOptions,
  type FineTunerOptions,
  type LabelledImages,
} from "./tasks/supervised.js";
export {
  lambdaGrid,
  transferLinear,
  type TransferOptions,
  type Transferred,
  type TransferSet,
} from "./tasks/transfer.js";

export { type Progress, showProgress, silent } from "./node/report/progress.js";
export type { Accuracies, StepMetrics, Summary } from "./node/run/folder.js";
