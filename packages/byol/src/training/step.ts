/** The captured programs of a training step: one, or with gradient accumulation two. */
import { add, concat, type Device, mul, narrow, reshape, type Tensor } from "@dawnstrap/tensor";
import { makeViews } from "../images/augment/view.js";
import { gradients, type Learner, stepNumbers } from "../learner/learner.js";
import { microBatches, type Preset } from "../presets/preset.js";

/** Images uint8 [batch, h, w, channels], their rows of view parameters, twice, and labels int32 [batch]. */
export type MicroBatch = [images: Tensor, rows1: Tensor, rows2: Tensor, labels: Tensor];

export interface CapturedStep {
  /**
   * Runs one update.
   *
   * @param batch the micro-batch of a number, below `preset.accumulate`
   * @param scalars from `optimizer.scalars`
   * @returns the numbers of `stepNumbers` (means over the micro-batches), then ‖g‖
   */
  run(batch: (micro: number) => Promise<MicroBatch>, scalars: Tensor): Promise<Tensor>;
  release(): void;
}

export function captureStep(
  learner: Learner,
  { device, preset, labelled }: { device: Device; preset: Preset; labelled: boolean },
): CapturedStep {
  const [first, second] = preset.views;
  const { size, crop } = preset.image;
  // Views that were cut while decoding lie one below the other.
  const part = (images: Tensor, view: number) =>
    crop === "decode" ? narrow(images, 1, view * size, (view + 1) * size) : images;
  const gradientsOf = (images: Tensor, rows1: Tensor, rows2: Tensor, labels: Tensor) =>
    gradients(
      learner,
      [
        makeViews(part(images, 0), rows1, first, preset.image),
        makeViews(part(images, 1), rows2, second, preset.image),
      ],
      labelled ? labels : undefined,
    );
  const withNorm = (numbers: Tensor, norm: Tensor) => concat([numbers, reshape(norm, [1])]);
  const count = microBatches(preset);

  if (count === 1) {
    const step = device.capture((...[images, rows1, rows2, labels, scalars]: [...MicroBatch, Tensor]) => {
      const { grads, numbers } = gradientsOf(images, rows1, rows2, labels);
      return withNorm(numbers, learner.optimizer.update(grads, scalars));
    });
    return {
      run: async (batch, scalars) => step(...(await batch(0)), scalars),
      release: () => step.release(),
    };
  }

  // Between updates both are 0, so that a checkpoint need not hold them.
  const { arena } = learner.online;
  const empty = [arena.length, labelled ? stepNumbers.length : 2].map((length) => device.zeros([length]));
  const [gradient, means] = empty.map((zeros, k) => device.variable(zeros, ["gradient", "numbers"][k]!));
  const share = 1 / count;
  const accumulate = device.capture((...batch: MicroBatch) => {
    const { grads, numbers } = gradientsOf(...batch);
    gradient!.assign(add(gradient!.value, mul(arena.pack(grads), share)));
    means!.assign(add(means!.value, mul(numbers, share)));
  });
  const update = device.capture((scalars: Tensor) => {
    const numbers = withNorm(means!.value, learner.optimizer.update(gradient!.value, scalars));
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
