/** The networks, the optimiser and the loss of a run, made from a preset and a seed. */
import { type Module, scaledLearningRate, stepsOf, targetMomentum, warmupCosine } from "@dawnstrap/nn";
import type { Device } from "@dawnstrap/tensor";
import { UsageError } from "../errors.js";
import { Stream } from "../images/streams.js";
import type { Learner } from "../learner/learner.js";
import { Network } from "../learner/network.js";
import { makeOptimizer } from "../learner/optimizer.js";
import { type Byol, byol } from "../methods/byol.js";
import { methodNamed, targetOf } from "../methods/index.js";
import { needsLabels } from "../methods/method.js";
import { effectiveBatch, type Preset } from "../presets/preset.js";

/**
 * The learner of the preset's method.
 *
 * @param classes of the online probe; 0 where there are no labels
 * @throws UsageError where the method needs labels and there are none
 */
export function makeLearner(device: Device, preset: Preset, classes: number, seed: number): Learner {
  const { method: settings } = preset;
  const method = methodNamed(settings.name);
  if (method.needsLabels && classes === 0) throw needsLabels(method.name);
  const make = (purpose: "initOnline" | "initTarget") =>
    new Network(preset, method.heads(settings), classes).init(device, {
      seed: new Stream(seed, purpose).bits(),
    });
  const online = make("initOnline");
  const follows = targetOf(settings);
  const target = follows && make("initTarget");
  if (follows?.start === "copy") target?.arena.copyFrom(online.arena);
  const memory: Module | undefined = method.memory?.(settings, device, seed);
  const parts = { online, ...(target && { target }), ...(memory && { memory }) };
  return {
    ...parts,
    optimizer: makeOptimizer(online, target, preset, method.rules?.(settings) ?? []),
    loss: (views, labels) => method.loss(parts, views, labels, settings),
  };
}

/** What `byolStep` takes, of a preset for BYOL. */
export function makeByol(device: Device, preset: Preset, classes: number, seed: number): Byol {
  const { online, target, optimizer } = makeLearner(device, preset, classes, seed);
  if (preset.method.name !== byol.name || !target)
    throw new UsageError(`makeByol: the preset is for ${preset.method.name} (use makeLearner)`);
  return { online, target, optimizer };
}

/** Steps of a run over so many images: T = epochs·images // effective batch, at least 1 (DeepMind's code, byol/byol_experiment.py). */
export const totalStepsOf = (preset: Preset, images: number): number =>
  Math.max(1, stepsOf(preset.epochs, images, effectiveBatch(preset)));

/** Steps of warm-up: W = warm-up epochs·images // effective batch, and no more than half of a shorter run. */
export const warmupStepsOf = (preset: Preset, images: number, totalSteps: number): number =>
  Math.min(stepsOf(preset.schedule.warmupEpochs, images, effectiveBatch(preset)), Math.floor(totalSteps / 2));

/** Learning rate, its peak and τ of every step of a run over so many images (Grill et al. 2020, §3.3). */
export function makeSchedule(preset: Preset, images: number, totalSteps: number) {
  const warmupSteps = warmupStepsOf(preset, images, totalSteps);
  const peak = scaledLearningRate(preset.optimizer.learningRate, effectiveBatch(preset));
  const target = targetOf(preset.method);
  return (step: number) => ({
    ...{ step, peak },
    lr: warmupCosine({ peak, warmupSteps, totalSteps }, step),
    ...(target && {
      tau: target.rise === "none" ? target.tau : targetMomentum({ base: target.tau, totalSteps }, step),
    }),
  });
}
