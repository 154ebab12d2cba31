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
import type { Byol } from "./byol.js";
import { ByolNetwork } from "./network.js";
import type { Preset } from "./preset.js";
import { Stream } from "./streams.js";

/** @param classes of the online probe; 0 where there are no labels */
export function makeByol(device: Device, preset: Preset, classes: number, seed: number): Byol {
  const make = (purpose: "initOnline" | "initTarget") =>
    new ByolNetwork(preset, classes).init(device, { seed: new Stream(seed, purpose).bits() });
  const online = make("initOnline");
  const target = make("initTarget");
  if (preset.targetStart === "copy") target.arena.copyFrom(online.arena);
  return { online, target, optimizer: makeOptimizer(online, target, preset.optimizer) };
}

function makeOptimizer(online: ByolNetwork, target: ByolNetwork, settings: Preset["optimizer"]): Optimizer {
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
  return (step: number) => ({
    step,
    lr: warmupCosine({ peak, warmupSteps, totalSteps }, step),
    tau: targetMomentum({ base: preset.schedule.tau, totalSteps }, step),
  });
}
