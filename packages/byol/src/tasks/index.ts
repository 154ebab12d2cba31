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
export {
  defineProtocol,
  type Protocol,
  type ProtocolDefinition,
  type Published,
  type Quick,
} from "./protocol.js";
export {
  choice,
  flag,
  notNegatives,
  type ProtocolOption,
  positive,
  positives,
  type TextFile,
  textFile,
  whole,
  wholes,
} from "./options.js";
export { protocols, quickProtocols } from "./protocols/index.js";
export { evaluateFewShot } from "./protocols/few-shot.js";
export { evaluateKnn } from "./protocols/knn.js";
export { evaluateLinear, evaluateLinearCached } from "./protocols/linear.js";
export { evaluateTransfer } from "./protocols/transfer.js";
export { evaluateFineTune, paperScratch, paperTuning } from "./protocols/finetune.js";
export { evaluateSemi, paperSemiRates } from "./protocols/semi.js";
export type { TuningOptions } from "./tuning.js";
export { type FrozenLinearOptions, paperRates, trainFrozenLinear } from "./frozen-linear.js";
export type { LabelledImages } from "./loop.js";
export { Classifier, FineTuner, type FineTuneOptions, type FineTunerOptions } from "./supervised.js";
export {
  lambdaGrid,
  transferLinear,
  type TransferOptions,
  type Transferred,
  type TransferSet,
} from "./transfer.js";
export { buildEncoder, type EncoderFile, type NetworkPreset, randomEncoder } from "./encoder.js";
export { conclude, frozenFeatures, imagesOf, labelled, type Subject } from "./subject.js";
export { listedSubset } from "./listed-subset.js";
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
