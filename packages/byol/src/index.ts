/**
 * `@dawnstrap/byol`: methods, presets and training, in Node and in a page alike. Images are in `@dawnstrap/byol/images`,
 * what is measured of an encoder in `/tasks`; whole runs, their files and data from the disk need Node and are in `/node`.
 */

// BYOL, and the loss of each of its rivals.
export { type Byol, byolLoss, byolStep } from "./methods/byol.js";
export { crossCorrelationLoss } from "./methods/barlow-twins.js";
export { infoNce, KeyQueue } from "./methods/moco.js";
export { ntXent } from "./methods/simclr.js";
export { negativeCosine } from "./methods/simsiam.js";
export { regression, spread, standardise } from "./learner/loss.js";

// The methods there are, and what one of your own is made of.
export { methods } from "./methods/index.js";
export { defineMethod, type Method, type MethodDefinition, type MethodSettings } from "./methods/method.js";
export { type Head, head, headSchema, type Target, targetSchema } from "./learner/settings.js";
export { type Heads, Network, type Outputs } from "./learner/network.js";
export {
  gradients,
  type Learner,
  learnerState,
  learnerStep,
  type Objective,
  stepNumbers,
  type Views,
  withProbe,
} from "./learner/learner.js";

// Presets: every number of a run.
export { parsePreset, type Preset } from "./presets/preset.js";
export { presetFor, presetNamed, presets } from "./presets/index.js";
export { withMethod } from "./presets/with-method.js";
export { vicregLoss, type VicregWeights } from "./methods/vicreg.js";
export { variantNames } from "./methods/variants.js";
export { override } from "./config/override.js";

// Training.
export { makeByol, makeLearner, makeSchedule, totalStepsOf, warmupStepsOf } from "./training/setup.js";
export { prepareTraining, type Training, type TrainOptions } from "./training/trainer.js";
export type { Accuracies, StepMetrics } from "./metrics.js";

// A run before it runs.
export { type PlanOptions, planRun, type RunPlan } from "./plan/plan.js";
export { planReport } from "./plan/report.js";

export { DataError, Interrupted, OutputError, TrainingError, UsageError } from "./errors.js";
