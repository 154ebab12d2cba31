/** What one training step takes, read off its recorded graph and the engine's memory plan; nothing is computed. */
import { valueAndGrad } from "@dawnstrap/autograd";
import { type Device, DeviceError, sum, type Tensor } from "@dawnstrap/tensor";
import { multiplyAdds, planningDevice } from "@dawnstrap/tensor/extend";
import type { ImageShape } from "../images/source.js";
import { batchShapes, viewSource } from "../images/views/views.js";
import { gradients, learnerState } from "../learner/learner.js";
import type { Preset } from "../presets/preset.js";
import { makeLearner } from "../training/setup.js";
import { captureStep } from "../training/step.js";

/** Multiply–adds for one image; two FLOPs each. */
export interface Work {
  /** One view through the encoder alone. */
  readonly encoder: number;
  /** One view through the online network. */
  readonly forward: number;
  /** The same, and the gradient by every parameter. */
  readonly forwardBackward: number;
  /** All passes of a step, both views through both networks, with the gradient. */
  readonly step: number;
}

/** Counts on a graph of two images, since batch norm wants two; sums of products grow with the batch. */
export function workOf(like: Device, preset: Preset, classes: number): Work {
  const device = planningDevice(like, "unlimited");
  const images = 2;
  const learner = makeLearner(device, preset, classes, 0);
  const { size, channels } = preset.image;
  const view = () => device.zeros([images, size, size, channels]);
  const per = (tensors: readonly Tensor[]) => multiplyAdds(tensors) / images;
  const { online } = learner;
  const labels = classes > 0 ? device.zeros([images], "int32") : undefined;
  const outputs = online.predict(view());
  const backward = valueAndGrad(() => sum(online.predict(view()).prediction))(...online.arena.values());
  const step = gradients(learner, [view(), view()], labels);
  return {
    encoder: per([outputs.embedding]),
    forward: per([outputs.prediction]),
    forwardBackward: per([backward.value, ...backward.grads]),
    step: per([step.numbers, ...step.grads]),
  };
}

/** What a step takes of the device, in bytes but for the kernels. */
export interface Bytes {
  /** Weights and running statistics of every network. */
  readonly weights: number;
  /** What the optimiser carries from step to step, and the method's memory. */
  readonly optimizer: number;
  /** Activations, gradients and work space of a step. */
  readonly step: number;
  /** Most that the device ever holds, start-up and one more batch of images included. */
  readonly peak: number;
  /** Kernels that a step runs. */
  readonly kernels: number;
}

/**
 * Plans one step as the device would.
 *
 * @param sizes of bindings: those of the device, or any
 * @throws DeviceError where a value or a buffer is larger than the device can bind
 */
export async function bytesOf(
  like: Device,
  preset: Preset,
  image: ImageShape,
  classes: number,
  sizes: "limited" | "unlimited" = "limited",
): Promise<Bytes> {
  const device = planningDevice(like, sizes);
  const learner = makeLearner(device, preset, classes, 0);
  const state = learnerState(learner);
  const bytes = (chosen: (name: string) => boolean) =>
    [...state].filter(([name]) => chosen(name)).reduce((n, [, v]) => n + 4 * v.value.size, 0);
  const network = (name: string) => /^(online|target)\./.test(name);
  const { batch } = preset;
  const source = viewSource(preset, image);
  const step = captureStep(learner, { device, preset, source });
  const shapes = batchShapes(source, batch);
  const images = device.zeros(shapes.images, "uint8");
  const [rows1, rows2] = shapes.rows.map((shape) => device.zeros(shape));
  const views = [images, rows1!, rows2!] as const;
  const whole = classes > 0 ? ([...views, device.zeros([batch], "int32")] as const) : views;
  // The weights' first values are kernels too, and no part of a step.
  await device.flush();
  const { counters } = device.backend!;
  const before = counters.dispatches;
  await step.run(async () => whole, learner.optimizer.numbers({ lr: 0, peak: 0, tau: 0 }));
  const { arena, peak } = device.memory();
  return {
    weights: bytes(network),
    optimizer: bytes((name) => !network(name)),
    ...{ step: arena, peak, kernels: counters.dispatches - before },
  };
}

/** As `bytesOf`; where the device can hold no such buffer, the reason. */
export async function bytesOrReason(...args: Parameters<typeof bytesOf>): Promise<Bytes | string> {
  try {
    return await bytesOf(...args);
  } catch (error) {
    if (error instanceof DeviceError) return error.message;
    throw error;
  }
}
