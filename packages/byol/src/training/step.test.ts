import { Sgd, Linear } from "@dawnstrap/nn";
import { mul, openDevice, reshape, slice, sum, type Device } from "@dawnstrap/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { toDevice, viewSource } from "../images/views/views.js";
import type { Learner } from "../learner/learner.js";
import type { Preset } from "../presets/preset.js";
import { presetNamed } from "../presets/index.js";
import { makeLearner } from "./setup.js";
import { captureStep, type MicroBatch } from "./step.js";

let device: Device;
beforeAll(async () => {
  device = await openDevice("cpu");
});
afterAll(() => device.destroy());

const stored = { height: 28, width: 28, channels: 3 } as const;
/** A learner without batch norm, whose loss is a mean over the images of a batch. */
function plain(device: Device): Learner {
  const online = new Linear(3, 2).init(device, { seed: 1 });
  return {
    online: online as unknown as Learner["online"],
    optimizer: new Sgd(online.arena, { momentum: 0.9 }),
    loss([x1]) {
      const batch = x1.shape[0]!;
      const features = reshape(slice(x1, [0, 3, 3, 0], [batch, 4, 4, 3]), [batch, 3]);
      const out = online.forward(features);
      const loss = mul(sum(mul(out, out)), 1 / batch);
      return { loss, numbers: [loss, mul(loss, 2)] };
    },
  };
}

/** Images of an update, `batch` of them in each of its micro-batches, with the parameters of their views. */
const batches =
  (device: Device, preset: Preset, update: number) =>
  async (micro: number): Promise<MicroBatch> => {
    const size = preset.batch;
    const indices = Int32Array.from({ length: size }, (_, i) => micro * size + i);
    const pixels = Uint8Array.from(
      { length: size * 28 * 28 * 3 },
      (_, i) => ((i + micro * size * 28 * 28 * 3) * 2654435761) >>> 24,
    );
    const { images, rows } = toDevice(
      device,
      viewSource(preset, stored),
      { indices, pixels },
      { seed: 0, step: update },
    );
    return [images, rows[0]!, rows[1]!, device.tensor(indices.map((i) => i % 10))];
  };

/** Numbers and weights of two updates over the same twelve images, `size` of them in a pass. */
async function train(size: number) {
  const preset = { ...presetNamed("tiny"), batch: size, accumulate: 12 / size };
  const learner = plain(device);
  const step = captureStep(learner, { device, preset, source: viewSource(preset, stored) });
  const numbers: number[][] = [];
  for (let update = 0; update < 2; update++) {
    const scalars = learner.optimizer.numbers({ lr: 0.1, step: update });
    numbers.push([...(await (await step.run(batches(device, preset, update), scalars)).data())]);
  }
  const weights = [...(await learner.online.arena.flat.value.data())];
  step.release();
  return { numbers, weights };
}

it("accumulates: three passes of four images are one of twelve, in loss, gradient norm and weights", async () => {
  const [whole, parts] = [await train(12), await train(4)];
  expect(whole.numbers[0]).toHaveLength(3);
  for (const [k, row] of whole.numbers.entries())
    row.forEach((v, i) => expect(parts.numbers[k]![i]).toBeCloseTo(v, 4));
  whole.weights.forEach((v, i) => expect(parts.weights[i]).toBeCloseTo(v, 5));
  expect(whole.numbers[1]![0]).not.toBe(whole.numbers[0]![0]);
});

it.each([
  // On llvmpipe the whole network takes long to compile; the programs around it are the same.
  ["cpu", (device: Device, preset: Preset) => makeLearner(device, preset, 10, 0)],
  ["webgpu", plain],
] as const)("an accumulated step that is warm allocates and compiles nothing on %s", async (kind, make) => {
  const own = await openDevice(kind);
  const preset = { ...presetNamed("tiny"), batch: 4, accumulate: 2 };
  const learner = make(own, preset);
  const step = captureStep(learner, { device: own, preset, source: viewSource(preset, stored) });
  const held: unknown[] = [];
  const weights: number[][] = [];
  for (let update = 0; update < 12; update++) {
    const scalars = learner.optimizer.numbers({ lr: 0.01, tau: 0.9, step: update });
    const numbers = await own.scope(async () => [
      ...(await (await step.run(batches(own, preset, update), scalars)).data()),
    ]);
    expect(numbers.every(Number.isFinite)).toBe(true);
    const { kernels, buffers, bindGroups } = own.backend!.counters;
    held.push({ ...own.memory(), kernels, buffers, bindGroups });
    weights.push([...(await learner.online.arena.flat.value.data())].slice(0, 6));
  }
  expect(held.slice(5)).toEqual(new Array(7).fill(held[4]));
  expect(weights[11]).not.toEqual(weights[4]);
  step.release();
  await own.destroy();
});
