/** The public surface of @dawnstrap/byol. */
export { type Byol, byolLoss, byolStep } from "./byol.js";
export {
  gradients,
  type Learner,
  learnerState,
  learnerStep,
  type Objective,
  stepNumbers,
  type Views,
} from "./learner.js";
export { regression, spread, standardise } from "./loss.js";
export { type Heads, Network, type Outputs } from "./network.js";
export { crossCorrelationLoss } from "./methods/barlow-twins.js";
export { infoNce, KeyQueue } from "./methods/moco.js";
export type { Head, Method, MethodName } from "./methods/settings.js";
export { ntXent } from "./methods/simclr.js";
export { negativeCosine } from "./methods/simsiam.js";
export { variantNames, withMethod } from "./methods/variants.js";
export { parsePreset, type Preset } from "./preset.js";
export { override } from "./config/override.js";
export { presetFor, presetNamed, presets } from "./presets/index.js";
export { makeByol, makeLearner, makeSchedule, totalStepsOf, warmupStepsOf } from "./setup.js";
export { pretrain, type PretrainOptions, resume, type ResumeOptions, type RunOptions } from "./train.js";
export { planReport } from "./plan/report.js";
export { type PlanOptions, planRun, type RunPlan } from "./plan/plan.js";
export { planTraining, type Training, type TrainOptions } from "./trainer.js";
export { DataError, Interrupted, TrainingError, UsageError } from "./errors.js";

export { type CheckpointOptions, Checkpoints } from "./checkpoint/checkpoints.js";
export { type Checkpoint, checksum } from "./checkpoint/format.js";
export type { RunRecord } from "./checkpoint/record.js";
export { loadState, readState } from "./checkpoint/state.js";
export { CheckpointStore, findCheckpoint, hasCheckpoints } from "./checkpoint/store.js";

export { drawViews, type ViewGeometry } from "./augment/parameters.js";
export { firstView, secondView, type ViewAugmentation } from "./augment/settings.js";
export { augment, makeViews, normalise, plainViews } from "./augment/view.js";

export { BatchLoader, type Batch } from "./data/loader.js";
export { openDigits } from "./data/digits.js";
export { openEmoji } from "./data/emoji.js";
export { openFolder } from "./data/folder.js";
export { openData } from "./data/open.js";
export {
  type DataOptions,
  type DataSource,
  type ImageFormat,
  type ImageSet,
  type ImageShape,
  memorySet,
  type SkippedImage,
  type Splits,
  subset,
} from "./data/source.js";

export type { Labelled } from "./evaluate/features.js";
export { fewShotAccuracy } from "./evaluate/few-shot.js";
export { type KnnOptions, knnAccuracy, knnPredict, knnScores, nearestRows } from "./evaluate/knn.js";
export { fitLinear, linearAccuracy, type LinearProbe } from "./evaluate/linear.js";
export { LogisticProblem, logitsOf, type Targets } from "./evaluate/logistic.js";
export * from "./evaluate/metrics.js";
export { type Extracted, extractFeatures } from "./evaluate/extract.js";
export { measure } from "./evaluate/measure.js";
export {
  buildEncoder,
  type EncoderFile,
  type EncoderOptions,
  randomEncoder,
  readEncoder,
} from "./evaluate/encoder-file.js";
export { type Embeddings, embeddingsFormat, npyOf, parquetOf } from "./evaluate/embed.js";
export { type FrozenLinearOptions, paperRates, trainFrozenLinear } from "./evaluate/frozen-linear.js";
export * from "./evaluate/protocols.js";
export * from "./evaluate/tuning.js";
export type { Subject } from "./evaluate/subject.js";
export { metricsOf, type Metrics, type Result } from "./evaluate/result.js";
export { resultTable } from "./evaluate/result-table.js";
export { balancedSubset, listedSubset } from "./evaluate/subsets.js";
export {
  Classifier,
  FineTuner,
  type FineTuneOptions,
  type FineTunerOptions,
  type LabelledImages,
} from "./evaluate/supervised.js";
export {
  lambdaGrid,
  transferLinear,
  type TransferOptions,
  type Transferred,
  type TransferSet,
} from "./evaluate/transfer.js";

export { type Progress, showProgress, silent } from "./report/progress.js";
export type { Accuracies, StepMetrics, Summary } from "./report/run-folder.js";
