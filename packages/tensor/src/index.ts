/** The public surface of @dawnstrap/tensor. */
export { openDevice, deviceChoices, type DeviceChoice, type OpenOptions } from "./open.js";
export { tuneModes, type TuneMode, type TuneProgress, type TuneReport } from "./tune/tuner.js";
export { Tensor, type HostArrayOf } from "./tensor.js";
export { Device, type DeviceKind } from "./device.js";
export { Variable } from "./variable.js";
export type { CapturedFunction } from "./run/capture.js";
export { DawnstrapError, DeviceError, ShapeError, StateError } from "./errors.js";
export type { DType, HostArray, ScalarType } from "./dtype.js";
export type { Shape } from "./shape.js";
export * from "./ops/index.js";
export type { TensorLike } from "./ops/shared/apply.js";
