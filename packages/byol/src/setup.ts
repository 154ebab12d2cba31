/** The two networks and the optimiser of a run, made from a preset and a seed. */
import {
  AdamW,
  Lars,
  type Optimizer,
  scaledLearningRate,
  Sgd,
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
      return new Lars(online.arena, { ...common, momentum: settings.momentum, eta: settings.trust });
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

/** Learning rate and τ of every step of a run (byol-spec §1.6). */
export function makeSchedule(preset: Preset, stepsPerEpoch: number, totalSteps: number) {
  const warmupSteps = Math.min(
    Math.round(preset.schedule.warmupEpochs * stepsPerEpoch),
    Math.floor(totalSteps / 2),
  );
  const peak = scaledLearningRate(preset.optimizer.learningRate, preset.batch);
  const { target } = preset.method;
  return (step: number) => ({
    step,
    lr: warmupCosine({ peak, warmupSteps, totalSteps }, step),
    tau: target.rise === "none" ? target.tau : targetMomentum({ base: target.tau, totalSteps }, step),
  });
}
