/** The public surface of @dawnstrap/tensor. */
export { openDevice, deviceChoices, type DeviceChoice, type OpenOptions } from "./open.js";
export { tuneModes, type TuneMode, type TuneProgress, type TuneReport } from "./tune/tuner.js";
export { planningDevice } from "./backends/planning.js";
export { multiplyAdds } from "./graph/cost.js";
export { Tensor, type HostArrayOf } from "./tensor.js";
export { Device, type DeviceKind } from "./device.js";
export { Variable } from "./variable.js";
export type { CapturedFunction } from "./run/capture.js";
export { DawnstrapError, DeviceError, ShapeError, StateError } from "./errors.js";
export type { DType, HostArray, ScalarType } from "./dtype.js";
export type { Shape } from "./shape.js";
export * from "./ops/index.js";
export { hostRandomBits, normalOf, philox4x32, truncatedNormalOf, uniformOf } from "./ops/random/bits.js";

// For packages that define ops or walk the graph (autograd, nn).
export * as expr from "./expr/expr.js";
export { apply, apply1, type TensorLike } from "./ops/shared/apply.js";
export { Node, nodeClock, type NodeOutput } from "./graph/node.js";
export { escaped, withHistory } from "./graph/trace.js";
export { defineOp, nondifferentiable, ops } from "./op.js";
export type * from "./op.js";
