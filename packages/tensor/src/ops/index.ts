/** Every op's public function. Importing this file fills the registry and binds the methods of `Tensor`. */
import { bindMethods } from "../tensor.js";
import * as functions from "./index.js";

export { scatterAlongAxis, takeAlongAxis } from "./alongAxis.js";
export * from "./arithmetic.js";
export { type AvgPoolOptions, avgPool2d, globalAvgPool } from "./avgPool.js";
export { type BatchNormOptions, batchNorm, batchNormInference } from "./batchNorm.js";
export { batchNormStats } from "./batchNormStats.js";
export * from "./cast.js";
export * from "./comparison.js";
export * from "./constants.js";
export { type Conv2dOptions, conv2d, conv2dInputGrad, conv2dWeightGrad } from "./conv2d.js";
export * from "./elementary.js";
export * from "./expand.js";
export { gather } from "./gather.js";
export { type MatmulOptions, matmul } from "./matmul.js";
export { maxPool2d } from "./maxPool.js";
export { oneHot } from "./oneHot.js";
export * from "./permute.js";
export type { PoolOptions } from "./poolWindow.js";
export * from "./reshape.js";
export { scatterAdd } from "./scatterAdd.js";
export { argsort, type SortOptions, sort, type TopKOptions, topK } from "./sort.js";
export { sum } from "./sum.js";
export * from "./where.js";
export type { Padding, Pair } from "./window.js";

bindMethods(functions);
