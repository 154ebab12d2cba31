/** Every op's public function. Importing this file fills the registry. */
export * from "./pointwise/activations.js";
export { scatterAlongAxis, takeAlongAxis } from "./indexing/along-axis.js";
export { argMax, argMin } from "./indexing/arg-max.js";
export * from "./pointwise/arithmetic.js";
export { type AvgPoolOptions, avgPool2d, globalAvgPool } from "./windows/avg-pool.js";
export { type BatchNormOptions, batchNorm, batchNormInference } from "./statistics/batch-norm.js";
export { batchNormStats } from "./statistics/batch-norm-stats.js";
export * from "./values/cast.js";
export * from "./pointwise/comparison.js";
export { concat, stack } from "./views/concat.js";
export * from "./values/constants.js";
export { type Conv2dOptions, conv2d, conv2dInputGrad, conv2dWeightGrad } from "./products/conv2d.js";
export { type CumsumOptions, cumsum } from "./indexing/cumsum.js";
export { type CropAndResizeOptions, cropAndResize } from "./images/crop-and-resize.js";
export { type CrossEntropyOptions, crossEntropy } from "./statistics/cross-entropy.js";
export * from "./pointwise/elementary.js";
export * from "./statistics/extremes.js";
export { type L2NormalizeOptions, l2Normalize } from "./statistics/l2-normalize.js";
export { type MatmulOptions, matmul } from "./products/matmul.js";
export { maxPool2d } from "./windows/max-pool.js";
export { mean, variance } from "./statistics/moments.js";
export { oneHot } from "./indexing/one-hot.js";
import "./views/pack-flat.js";
export { type PadMode, type PadOptions, pad } from "./indexing/pad.js";
export * from "./views/permute.js";
export type { PoolOptions } from "./windows/pool-window.js";
export {
  type RandomNormalOptions,
  type RandomOptions,
  type RandomUniformOptions,
  randomBernoulli,
  randomBits,
  randomKey,
  randomNormal,
  randomPermutation,
  randomTruncatedNormal,
  randomUniform,
} from "./random/random.js";
export type { ResizeMethod } from "./images/resampling.js";
export { reshape, squeeze, unsqueeze } from "./views/reshape.js";
export { type ResizeOptions, resize } from "./images/resize.js";
export * from "./pointwise/rounding.js";
export { gather, scatterAdd } from "./indexing/gather-scatter.js";
export { flip, narrow, place, slice, split } from "./views/slice.js";
export { logSoftmax, logSumExp, softmax } from "./statistics/softmax.js";
export { argsort, type SortOptions, sort, type TopKOptions, topK } from "./indexing/sort.js";
export { broadcastTo, expand, sum } from "./reductions/sum.js";
export { roll, tile } from "./indexing/tile.js";
export * from "./pointwise/where.js";
export type { Padding, Pair } from "./windows/window.js";
