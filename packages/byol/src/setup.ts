/** The two networks and the optimiser of a run, made from a preset and a seed. */
import {
  AdamW,
  Lars,
  type Optimizer,
  scaledLearningRate,
  Sgd,
  stepsOf,
  targetMomentum,
  warmupCosine,
} from "@dawnstrap/nn";
import type { Device } from "@dawnstrap/tensor";
import { type Byol, byolLoss } from "./byol.js";
import type { Learner } from "./learner.js";
import { Network } from "./network.js";
import type { Preset } from "./preset.js";
import { Stream } from "./streams.js";

/** @param classes of the online probe; 0 where there are no labels */
export function makeLearner(device: Device, preset: Preset, classes: number, seed: number): Learner {
  const byol = makeByol(device, preset, classes, seed);
  return { ...byol, loss: (views, labels) => byolLoss(byol, views, labels) };
}

/** Online and target network, and the optimiser that moves both. */
export function makeByol(device: Device, preset: Preset, classes: number, seed: number): Byol {
  const { projector, predictor, target: settings } = preset.method;
  const heads = { projector, ...(predictor && { predictor }) };
  const make = (purpose: "initOnline" | "initTarget") =>
    new Network(preset, heads, classes).init(device, { seed: new Stream(seed, purpose).bits() });
  const online = make("initOnline");
  const target = make("initTarget");
  if (settings.start === "copy") target.arena.copyFrom(online.arena);
  return { online, target, optimizer: makeOptimizer(online, target, preset.optimizer) };
}

function makeOptimizer(online: Network, target: Network, settings: Preset["optimizer"]): Optimizer {
  const common = { weightDecay: settings.weightDecay, target: target.arena };
  switch (settings.kind) {
    case "lars":
      return new Lars(online.arena, {
        ...common,
        momentum: settings.momentum,
        eta: settings.trust,
        variant: settings.variant,
        clip: settings.clip,
      });
    case "sgd":
      return new Sgd(online.arena, { ...common, momentum: settings.momentum, nesterov: settings.nesterov });
    case "adamw":
      return new AdamW(online.arena, {
        ...common,
        beta1: settings.beta1,
        beta2: settings.beta2,
        eps: settings.epsilon,
      });
  }
}

/** Steps of a run over so many images: T = epochs·images // batch, at least 1 (byol-spec §1.6). */
export const totalStepsOf = ({ epochs, batch }: Preset, images: number): number =>
  Math.max(1, stepsOf(epochs, images, batch));

/** Steps of warm-up: W = warm-up epochs·images // batch, and no more than half of a shorter run. */
export const warmupStepsOf = ({ schedule, batch }: Preset, images: number, totalSteps: number): number =>
  Math.min(stepsOf(schedule.warmupEpochs, images, batch), Math.floor(totalSteps / 2));

/** Learning rate and τ of every step of a run over so many images (byol-spec §1.6). */
export function makeSchedule(preset: Preset, images: number, totalSteps: number) {
  const warmupSteps = warmupStepsOf(preset, images, totalSteps);
  const peak = scaledLearningRate(preset.optimizer.learningRate, preset.batch);
  const { target } = preset.method;
  return (step: number) => ({
    step,
    lr: warmupCosine({ peak, warmupSteps, totalSteps }, step),
    tau: target.rise === "none" ? target.tau : targetMomentum({ base: target.tau, totalSteps }, step),
  });
}
