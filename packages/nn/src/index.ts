/** The public surface of @dawnstrap/nn. */
export {
  Buffer,
  type ForwardOptions,
  type InitOptions,
  Layer,
  Module,
  Parameter,
} from "./module.js";

export { Activation, type ActivationName, Flatten, Lambda } from "./layers/activation.js";
export { BatchNorm, type BatchNormOptions } from "./layers/batch-norm.js";
export { Conv2d, type Conv2dLayerOptions, type PaddingStyle } from "./layers/conv.js";
export { Dropout } from "./layers/dropout.js";
export { Linear, type LinearOptions } from "./layers/linear.js";
export { AvgPool, GlobalAvgPool, MaxPool } from "./layers/pooling.js";
export { Mlp, type MlpOptions, Sequential } from "./layers/sequential.js";

export {
  ResNet,
  resnet,
  type ResNetDepth,
  resnetDepths,
  type ResNetOptions,
  torchvisionForm,
} from "./models/resnet.js";

export {
  constant,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  type Initializer,
  ones,
  type StreamKey,
  streamOf,
  truncatedNormal,
  zeros,
} from "./init.js";
export { crossEntropy, meanSquaredError, topKAccuracy } from "./losses.js";

export { ParamArena, type ParameterKind, type Segment } from "./arena.js";
export type { Adaptation } from "./optim/adaptation.js";
export {
  type AnyOptimizer,
  defineOptimizer,
  type OptimizerClass,
  type OptimizerDefinition,
  type OptionsOf,
} from "./optim/define.js";
export * from "./optim/index.js";
export type { Setting, Settings, SettingsOf } from "./optim/settings.js";
export { type Evaluation, lbfgs, type LbfgsOptions, type Minimum, type Objective } from "./optim/lbfgs.js";
export { type GradientGuard, Optimizer, type OptimizerOptions, type StepNumbers } from "./optim/optimizer.js";
export { byName, excludeBiasAndNorm, type Rule, type Treatment } from "./optim/rules.js";
export {
  scaledLearningRate,
  stepsOf,
  type TargetMomentum,
  targetMomentum,
  targetRate,
  type WarmupCosine,
  warmupCosine,
} from "./schedules.js";

export { decodeStateDict, encodeStateDict, readStateDict, saveStateDict } from "./io/files.js";
export {
  decodeSafetensors,
  encodeSafetensors,
  type RawTensor,
  type Safetensors,
  SafetensorsError,
  safetensorsParts,
} from "./io/safetensors.js";
export {
  copyState,
  type LoadOptions,
  type LoadReport,
  loadStateDict,
  type StateDict,
  stateDict,
  type StateDictOptions,
} from "./io/state-dict.js";
export { assignVariable, type HostTensor, readVariable, stored } from "./host-tensor.js";
export { fromRaw, toRaw } from "./io/values.js";
