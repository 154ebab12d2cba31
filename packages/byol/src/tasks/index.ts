/** `@dawnstrap/byol/tasks`: what is measured of an encoder. */

// Features, and what they tell.
export { type Extracted, extractFeatures } from "./extract.js";
export type { Labelled } from "./features.js";
export { type KnnOptions, knnAccuracy, knnPredict, knnScores, nearestRows } from "./knn.js";
export { fitLinear, linearAccuracy, type LinearProbe } from "./linear.js";
export { LogisticProblem, logitsOf, type Targets } from "./logistic.js";
export { fewShotAccuracy } from "./few-shot.js";
export { measure } from "./measure.js";

// The paper's protocols.
export { evaluateKnn, evaluateLinear, evaluateLinearCached, evaluateTransfer } from "./protocols.js";
export {
  evaluateFineTune,
  evaluateSemi,
  paperScratch,
  paperSemiRates,
  paperTuning,
  type TuningOptions,
} from "./tuning.js";
export { type FrozenLinearOptions, paperRates, trainFrozenLinear } from "./frozen-linear.js";
export {
  Classifier,
  FineTuner,
  type FineTuneOptions,
  type FineTunerOptions,
  type LabelledImages,
} from "./supervised.js";
export {
  lambdaGrid,
  transferLinear,
  type TransferOptions,
  type Transferred,
  type TransferSet,
} from "./transfer.js";
export { buildEncoder, type EncoderFile, type NetworkPreset, randomEncoder } from "./encoder.js";
export type { Subject } from "./subject.js";
export { balancedSubset } from "./subsets.js";

// Metrics and results.
export {
  accuracy,
  averagePrecision,
  bootstrap,
  bootstrapMean,
  confusionMatrix,
  hits,
  type Interpolation,
  type Interval,
  meanAveragePrecision,
  meanPerClassAccuracy,
  predictions,
  topKHits,
} from "./metrics.js";
export { type Metrics, metricsOf, type Result } from "./result.js";
export { resultTable } from "./result-table.js";
