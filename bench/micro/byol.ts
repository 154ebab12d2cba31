/** Augmentation and a whole training step of @dawnstrap/byol, at the sizes of the digits preset. */
import { learnerStep, makeLearner, type Preset, presetNamed } from "@dawnstrap/byol";
import { drawViews, makeViews } from "@dawnstrap/byol/images";
import { type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { type Case, expectClose, replayed } from "./case.js";

const digits = presetNamed("digits");
const classes = 10;

/** A batch of made-up images, and the rows that describe its two views. */
function batchOf(device: Device, preset: Preset, batch: number) {
  const { stored, channels, size } = preset.image;
  const pixels = Uint8Array.from(
    { length: batch * stored * stored * channels },
    (_, i) => (i * i * 31 + i * 7) >> 3,
  );
  const geometry = { height: stored, width: stored, channels, size };
  const indices = Array.from({ length: batch }, (_, i) => i);
  return {
    images: device.tensor(pixels, [batch, stored, stored, channels]),
    rows: preset.views.map((settings, view) => {
      const rows = drawViews(settings, geometry, { seed: 3, step: 0, view: view as 0 | 1, images: indices });
      return device.tensor(rows, [batch, rows.length / batch]);
    }),
    labels: device.tensor(Int32Array.from(indices, (i) => i % classes)),
  };
}

/** Both views of a batch. */
function views(device: Device, preset: Preset, batch: number): () => [Tensor, Tensor] {
  const { images, rows } = batchOf(device, preset, batch);
  const view = (v: 0 | 1): Tensor => makeViews(images, rows[v]!, preset.views[v], preset.image);
  return () => [view(0), view(1)];
}

/** Gradient, update of both networks, probe; the numbers of the step. */
function step(device: Device, preset: Preset, batch: number): () => Tensor {
  const { labels } = batchOf(device, preset, batch);
  const learner = makeLearner(device, preset, classes, 1);
  const make = views(device, preset, batch);
  const scalars = learner.optimizer.numbers({ lr: 1e-3, tau: 0.99 });
  return () => learnerStep(learner, make(), labels, scalars);
}

const augmentation = replayed(
  { name: `two views of ${digits.batch} digits`, unit: "images/s", work: digits.batch },
  async (device) => ({
    step: views(device, digits, digits.batch),
    check: async (made) => {
      const reference = await openDevice("reference");
      // An image's view does not depend on the rest of its batch.
      const want = await Promise.all(views(reference, digits, 2)().map((x) => x.float64()));
      for (const [v, view] of want.entries())
        for (const [i, value] of view.entries())
          expectClose(`pixel ${i} of view ${v}`, made[v]![i]!, value, 1e-3);
      await reference.destroy();
    },
  }),
);

const training = replayed(
  { name: `step of the digits preset, batch ${digits.batch}`, unit: "images/s", work: digits.batch },
  async (device) => ({
    step: step(device, digits, digits.batch),
    check: async ([numbers]) => {
      const tiny = presetNamed("tiny");
      const first = async (on: Device): Promise<number[]> => {
        const captured = on.capture(step(on, tiny, 4));
        const read = [...(await (await captured()).float64())];
        captured.release();
        return read;
      };
      const reference = await openDevice("reference");
      const [got, want] = [await first(device), await first(reference)];
      for (const [i, w] of want.entries()) expectClose(`number ${i} of a tiny step`, got[i]!, w, 1e-3);
      await reference.destroy();
      // Unrelated projections are about √2 apart on the unit sphere: 2 for each of the two terms.
      if (!(numbers![0]! > 2 && numbers![0]! < 6)) throw new Error(`wrong: the first loss is ${numbers![0]}`);
    },
  }),
);

export const cases: readonly Case[] = [augmentation, training];
