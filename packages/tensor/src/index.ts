/** The public surface of @dawnstrap/tensor. */
export { openDevice, deviceChoices, type DeviceChoice, type OpenOptions } from "./open.js";
export { tuneModes, type TuneMode, type TuneProgress, type TuneReport } from "./tune/tuner.js";
export { type CapturedFunction, type Device, Tensor, type TensorLike, type Variable } from "./tensor.js";
export type { DeviceKind } from "./program.js";
export { DawnstrapError, DeviceError, ShapeError, StateError } from "./errors.js";
export type { DType, HostArray, HostArrayOf, ScalarType } from "./dtype.js";
export type { Shape } from "./shape.js";
import "./ops/bind.js";
export * from "./ops/index.js";
