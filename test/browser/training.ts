/**
 * A few steps of BYOL on images made by a formula: what a page and Node have to agree on. By file, as the package as a
 * whole reads folders and decodes images, which needs Node.
 */
import type { Preset } from "@dawnstrap/byol";
import type { Device, Tensor } from "@dawnstrap/tensor";
import { byolStep } from "../../packages/byol/src/methods/byol.js";
import { makeByol } from "../../packages/byol/src/training/setup.js";

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
      device.tensor(byol.optimizer.scalars({ lr: 1e-3, tau: 0.9, step: k })),
    );
    const [bootstrap, , probe] = await numbers.data();
    all.push([bootstrap!, probe!]);
  }
  step.release();
  return all;
}
