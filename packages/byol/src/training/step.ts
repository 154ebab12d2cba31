/** The captured programs of a training step: one, or with gradient accumulation two. */
import { add, type Device, mul, type Tensor } from "@dawnstrap/tensor";
import { makeViews } from "../images/augment/view.js";
import type { ViewSource } from "../images/views/view-source.js";
import { gradients, type Learner, stepNumbers } from "../learner/learner.js";
import { microBatches, type Preset } from "../presets/preset.js";
import { together } from "./numbers.js";

/** Images uint8 [batch, h, w, channels], their rows of view parameters, twice, and labels int32 [batch] where there are any. */
export type MicroBatch =
  | readonly [images: Tensor, rows1: Tensor, rows2: Tensor]
  | readonly [images: Tensor, rows1: Tensor, rows2: Tensor, labels: Tensor];

export interface CapturedStep {
  /**
   * Runs one update.
   *
   * @param batch the micro-batch of a number, below `preset.accumulate`
   * @param scalars from `optimizer.numbers`
   * @returns see `numbers.ts`; means over the micro-batches
   */
  run(batch: (micro: number) => Promise<MicroBatch>, scalars: Tensor): Promise<Tensor>;
  release(): void;
}

export function captureStep(
  learner: Learner,
  { device, preset, source }: { device: Device; preset: Preset; source: ViewSource },
): CapturedStep {
  const [first, second] = preset.views;
  const gradientsOf = ([images, rows1, rows2, labels]: readonly [Tensor, Tensor, Tensor, Tensor?]) =>
    gradients(
      learner,
      [
        makeViews(source.part(images, 0), rows1, first, preset.image),
        makeViews(source.part(images, 1), rows2, second, preset.image),
      ],
      labels,
    );
  const count = microBatches(preset);

  if (count === 1) {
    const step = device.capture((scalars: Tensor, ...batch: MicroBatch) => {
      const { grads, numbers } = gradientsOf(batch);
      return together(numbers, learner.optimizer.update(grads, scalars));
    });
    return {
      run: async (batch, scalars) => step(scalars, ...(await batch(0))),
      release: () => step.release(),
    };
  }

  // Between updates both are 0, so that a checkpoint need not hold them.
  const { arena } = learner.online;
  const empty = [arena.length, learner.online.probe ? stepNumbers.length : 2].map((length) =>
    device.zeros([length]),
  );
  const [gradient, means] = empty.map((zeros, k) => device.variable(zeros, ["gradient", "numbers"][k]!));
  const share = 1 / count;
  const accumulate = device.capture((...batch: MicroBatch) => {
    const { grads, numbers } = gradientsOf(batch);
    gradient!.assign(add(gradient!.value, mul(arena.pack(grads), share)));
    means!.assign(add(means!.value, mul(numbers, share)));
  });
  const update = device.capture((scalars: Tensor) => {
    const numbers = together(means!.value, learner.optimizer.update(gradient!.value, scalars));
    gradient!.assign(device.zeros(gradient!.shape));
    means!.assign(device.zeros(means!.shape));
    return numbers;
  });
  return {
    run: async (batch, scalars) => {
      for (let micro = 0; micro < count; micro++) await accumulate(...(await batch(micro)));
      return update(scalars);
    },
    release: () => {
      accumulate.release();
      update.release();
    },
  };
}
