/** A few steps of BYOL on images made by a formula: what a page and Node have to agree on. */
import { byolStep, makeByol, makeLearner, type Preset, prepareTraining } from "@dawnstrap/byol";
import { type DataSource, memorySet } from "@dawnstrap/byol/images";
import type { Device, Tensor } from "@dawnstrap/tensor";

const batch = 8;
const classes = 4;

/** Losses of the bootstrap and of the probe at each step, of one captured program. */
export async function losses(device: Device, preset: Preset, steps: number): Promise<number[][]> {
  const { size, channels } = preset.image;
  const byol = makeByol(device, preset, classes, 1);
  const step = device.capture((x1: Tensor, x2: Tensor, labels: Tensor, scalars: Tensor) =>
    byolStep(byol, [x1, x2], labels, scalars),
  );
  const view = (k: number, phase: number): Tensor =>
    device.tensor(
      Float32Array.from(
        { length: batch * size * size * channels },
        (_, i) => Math.sin(0.37 * i + phase + k) + Math.cos(0.011 * i * phase),
      ),
      [batch, size, size, channels],
    );
  const all: number[][] = [];
  for (let k = 0; k < steps; k++) {
    const numbers = await step(
      view(k, 1),
      view(k, 2.3),
      device.tensor(Int32Array.from({ length: batch }, (_, i) => (i + k) % classes)),
      byol.optimizer.numbers({ lr: 1e-3, tau: 0.9, step: k }),
    );
    const [bootstrap, , probe] = await numbers.data();
    all.push([bootstrap!, probe!]);
  }
  step.release();
  return all;
}

/** Losses of a whole training: batches read from memory, views made on the device, the loop as in a run. */
export async function trained(device: Device, preset: Preset, steps: number): Promise<number[][]> {
  const { stored, channels } = preset.image;
  const image = { height: stored, width: stored, channels };
  const images = 4 * batch;
  const pixels = Uint8Array.from(
    { length: images * stored * stored * channels },
    (_, i) => 128 + 60 * Math.sin(0.013 * i) + 60 * Math.cos(0.37 * i),
  );
  const set = memorySet(
    pixels,
    image,
    Int32Array.from({ length: images }, (_, i) => i % classes),
  );
  const data: DataSource = {
    ...{ name: "formula", image, classes: Array.from({ length: classes }, String), train: set, heldOut: set },
    skipped: () => [],
    close: async () => {},
  };
  const small = { ...preset, batch };
  const all: number[][] = [];
  await prepareTraining(makeLearner(device, small, classes, 1), {
    ...{ device, preset: small, data, seed: 1, steps },
    onStep: ({ loss, probe_loss }) => all.push([loss, probe_loss!]),
  }).run();
  return all;
}
