/** The run of the preset imagenet-r50 that byol-r50.json is golden for: what it draws, as numbers. */
import { makeSchedule, override, type Preset, presetNamed } from "@dawnstrap/byol";
import { drawViews } from "@dawnstrap/byol/images";
import { permutation } from "@dawnstrap/byol/testing";

export const IMAGES = 4;
export const CLASSES = 2;
export const SEED = 0;
export const STEPS = 3;

/** DeepMind's preset in every point but the batch, the length, and a rate that moves weights visibly in one step. */
export const preset: Preset = override(presetNamed("imagenet-r50"), [
  ["batch", IMAGES],
  ["epochs", STEPS],
  ["optimizer.learningRate", 12.8],
]);

/** What Python reads: the order of images, the rows of both views, the numbers of each step. */
export function drawn() {
  const { image, optimizer, views } = preset;
  if (optimizer.kind !== "lars") throw new Error("imagenet-r50 is trained by LARS");
  const geometry = { height: image.stored, width: image.stored, channels: image.channels, size: image.size };
  const schedule = makeSchedule(preset, IMAGES, STEPS);
  const steps = Array.from({ length: STEPS }, (_, step) => {
    const images = [...permutation(SEED, "shuffle", step, IMAGES)];
    const rows = views.map((settings, k) => {
      const flat = drawViews(settings, geometry, { seed: SEED, step, view: k as 0 | 1, images });
      const columns = flat.length / IMAGES;
      return images.map((__, i) => [...flat.subarray(i * columns, (i + 1) * columns)]);
    });
    const { lr, tau } = schedule(step);
    return { images, lr, tau, views: rows };
  });
  return {
    stored: image.stored,
    size: image.size,
    classes: CLASSES,
    weightDecay: optimizer.weightDecay,
    eta: optimizer.trust,
    momentum: optimizer.momentum,
    steps,
  };
}
