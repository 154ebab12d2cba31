/** Every op's public function. Importing this file fills the registry and binds the methods of `Tensor`. */
import { bindMethods } from "../tensor.js";
import * as functions from "./index.js";

export * from "./activations.js";
export { scatterAlongAxis, takeAlongAxis } from "./alongAxis.js";
export { argMax, argMin } from "./argMax.js";
export * from "./arithmetic.js";
export { type AvgPoolOptions, avgPool2d, globalAvgPool } from "./avgPool.js";
export { type BatchNormOptions, batchNorm, batchNormInference } from "./batchNorm.js";
export { batchNormStats } from "./batchNormStats.js";
export * from "./cast.js";
export * from "./comparison.js";
export { concat, stack } from "./concat.js";
export * from "./constants.js";
export { type Conv2dOptions, conv2d, conv2dInputGrad, conv2dWeightGrad } from "./conv2d.js";
export { type CumsumOptions, cumsum } from "./cumsum.js";
export { type CropAndResizeOptions, cropAndResize } from "./cropAndResize.js";
export { type CrossEntropyOptions, crossEntropy } from "./crossEntropy.js";
export * from "./elementary.js";
export * from "./expand.js";
export * from "./extremes.js";
export { gather } from "./gather.js";
export { type L2NormalizeOptions, l2Normalize } from "./l2Normalize.js";
export { type MatmulOptions, matmul } from "./matmul.js";
export { maxPool2d } from "./maxPool.js";
export { mean, variance } from "./moments.js";
export { oneHot } from "./oneHot.js";
export { packFlat } from "./packFlat.js";
export { type PadMode, type PadOptions, pad } from "./pad.js";
export * from "./permute.js";
export type { PoolOptions } from "./poolWindow.js";
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
} from "./random.js";
export type { ResizeMethod } from "./resampling.js";
export * from "./reshape.js";
export { type ResizeOptions, resize } from "./resize.js";
export * from "./rounding.js";
export { scatterAdd } from "./scatterAdd.js";
export { flip, narrow, place, slice, split } from "./slice.js";
export { logSoftmax, logSumExp, softmax } from "./softmax.js";
export { argsort, type SortOptions, sort, type TopKOptions, topK } from "./sort.js";
export { sum } from "./sum.js";
export { roll, tile } from "./tile.js";
export * from "./where.js";
export type { Padding, Pair } from "./window.js";

bindMethods(functions);
