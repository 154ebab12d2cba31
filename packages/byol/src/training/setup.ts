/** The networks, the optimiser and the loss of a run, made from a preset and a seed. */
import { byName, type Rule, scaledLearningRate, stepsOf, targetMomentum, warmupCosine } from "@dawnstrap/nn";
import type { Device } from "@dawnstrap/tensor";
import { type Byol, byolLoss } from "../methods/byol.js";
import { UsageError } from "../errors.js";
import type { Learner } from "../learner/learner.js";
import { barlowTwinsLoss } from "../methods/barlow-twins.js";
import { KeyQueue, mocoLoss } from "../methods/moco.js";
import { makeOptimizer } from "../learner/optimizer.js";
import type { Target } from "../learner/settings.js";
import { simclrLoss } from "../methods/simclr.js";
import { simsiamLoss } from "../methods/simsiam.js";
import { needsLabels, supervisedLoss } from "../methods/supervised.js";
import { headsOf, Network } from "../learner/network.js";
import { effectiveBatch, type Preset } from "../presets/preset.js";
import { Stream } from "../images/streams.js";

/**
 * The learner of the preset's method.
 *
 * @param classes of the online probe; 0 where there are no labels
 * @throws UsageError where the method needs labels and there are none
 */
export function makeLearner(device: Device, preset: Preset, classes: number, seed: number): Learner {
  const { method } = preset;
  const build: Build = { device, preset, classes, seed };
  if (method.name === "byol") {
    const pair = makePair(build, method.target);
    return { ...pair, loss: (views, labels) => byolLoss(pair, views, labels) };
  }
  if (method.name === "moco") {
    const pair = makePair(build, method.target);
    const memory = new KeyQueue(method.queue, method.projector.output).init(device).fill(device, seed);
    return { ...pair, memory, loss: (views, labels) => mocoLoss({ ...pair, memory }, method, views, labels) };
  }
  if (method.name === "supervised" && classes === 0) throw needsLabels();
  const online = makeNetwork(build, "initOnline");
  const optimizer = makeOptimizer(online, undefined, preset, rulesOf(method));
  switch (method.name) {
    case "simclr":
      return {
        ...{ online, optimizer },
        loss: (views, labels) => simclrLoss(online, method.temperature, views, labels),
      };
    case "simsiam":
      return { online, optimizer, loss: (views, labels) => simsiamLoss(online, views, labels) };
    case "barlow-twins":
      return {
        ...{ online, optimizer },
        loss: (views, labels) => barlowTwinsLoss(online, method.lambda, views, labels),
      };
    case "supervised":
      return { online, optimizer, loss: (views, labels) => supervisedLoss(online, views, labels) };
  }
}

/** What `byolStep` takes, of a preset for BYOL. */
export function makeByol(device: Device, preset: Preset, classes: number, seed: number): Byol {
  if (preset.method.name !== "byol")
    throw new UsageError(`makeByol: the preset is for ${preset.method.name} (use makeLearner)`);
  return makePair({ device, preset, classes, seed }, preset.method.target);
}

interface Build {
  readonly device: Device;
  readonly preset: Preset;
  readonly classes: number;
  readonly seed: number;
}

const makeNetwork = ({ device, preset, classes, seed }: Build, purpose: "initOnline" | "initTarget") =>
  new Network(preset, headsOf(preset.method), classes).init(device, {
    seed: new Stream(seed, purpose).bits(),
  });

/** Online and target network, and the optimiser that moves both. */
function makePair(build: Build, { start }: Target): Byol {
  const online = makeNetwork(build, "initOnline");
  const target = makeNetwork(build, "initTarget");
  if (start === "copy") target.arena.copyFrom(online.arena);
  return {
    online,
    target,
    optimizer: makeOptimizer(online, target, build.preset, rulesOf(build.preset.method)),
  };
}

/** What has a rate of its own in the method. */
const rulesOf = (method: Preset["method"]): readonly Rule[] =>
  method.name === "simsiam" && method.predictorRate === "constant"
    ? [byName(/^predictor\./, { steady: true })]
    : [];

/** Steps of a run over so many images: T = epochs·images // effective batch, at least 1 (byol-spec §1.6). */
export const totalStepsOf = (preset: Preset, images: number): number =>
  Math.max(1, stepsOf(preset.epochs, images, effectiveBatch(preset)));

/** Steps of warm-up: W = warm-up epochs·images // effective batch, and no more than half of a shorter run. */
export const warmupStepsOf = (preset: Preset, images: number, totalSteps: number): number =>
  Math.min(stepsOf(preset.schedule.warmupEpochs, images, effectiveBatch(preset)), Math.floor(totalSteps / 2));

/** Learning rate, its peak and τ of every step of a run over so many images (byol-spec §1.6). */
export function makeSchedule(preset: Preset, images: number, totalSteps: number) {
  const warmupSteps = warmupStepsOf(preset, images, totalSteps);
  const peak = scaledLearningRate(preset.optimizer.learningRate, effectiveBatch(preset));
  const target = "target" in preset.method ? preset.method.target : undefined;
  return (step: number) => ({
    ...{ step, peak },
    lr: warmupCosine({ peak, warmupSteps, totalSteps }, step),
    ...(target && {
      tau: target.rise === "none" ? target.tau : targetMomentum({ base: target.tau, totalSteps }, step),
    }),
  });
}
