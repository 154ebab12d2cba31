import { Sgd, Linear } from "@dawnstrap/nn";
import { mul, openDevice, reshape, slice, sum, type Device } from "@dawnstrap/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { drawViews } from "./augment/parameters.js";
import type { Learner } from "./learner.js";
import { presetNamed } from "./presets/index.js";
import { captureStep, type MicroBatch } from "./step.js";

let device: Device;
beforeAll(async () => {
  device = await openDevice("cpu");
});
afterAll(() => device.destroy());

const { image } = presetNamed("tiny");
/** A learner without batch norm, whose loss is a mean over the images of a batch. */
function plain(): Learner {
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

/** Numbers and weights of two updates over the same twelve images, `size` of them in a pass. */
async function train(size: number) {
  const accumulate = 12 / size;
  const preset = { ...presetNamed("tiny"), batch: size, accumulate };
  const learner = plain();
  const step = captureStep(learner, { device, preset, labelled: false });
  const batch =
    (update: number) =>
    async (micro: number): Promise<MicroBatch> => {
      const indices = Int32Array.from({ length: size }, (_, i) => micro * size + i);
      const pixels = Uint8Array.from(
        { length: size * 28 * 28 * 3 },
        (_, i) => ((i + micro * size * 28 * 28 * 3) * 2654435761) >>> 24,
      );
      const geometry = { height: 28, width: 28, channels: 3 as const, size: image.size };
      const rows = preset.views.map((view, k) => {
        const drawn = drawViews(view, geometry, { seed: 0, step: update, view: k as 0 | 1, images: indices });
        return device.tensor(drawn, [size, drawn.length / size]);
      });
      return [
        device.tensor(pixels, [size, 28, 28, 3]),
        rows[0]!,
        rows[1]!,
        device.tensor(new Int32Array(size)),
      ];
    };
  const numbers: number[][] = [];
  for (let update = 0; update < 2; update++) {
    const scalars = device.tensor(learner.optimizer.scalars({ lr: 0.1, step: update }));
    numbers.push([...(await (await step.run(batch(update), scalars)).data())]);
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
