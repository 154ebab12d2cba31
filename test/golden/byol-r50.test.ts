/**
 * The preset imagenet-r50 for real: a folder of photographs' shape, the trainer's own loader, views, networks, LARS and
 * schedules at 224 pixels, and its losses against PyTorch's.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeLearner, prepareTraining, type StepMetrics } from "@dawnstrap/byol";
import { openFolder } from "@dawnstrap/byol/node";
import { openDevice } from "@dawnstrap/tensor";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CLASSES, drawn, IMAGES, preset, SEED, STEPS } from "./byol-r50-run.js";
import { bits, parameter, tensor } from "./formula.js";
import { golden, loadFormula } from "./load.js";

interface Losses {
  readonly representationLoss: number;
  readonly probeLoss: number;
}
type Step = Losses & { readonly torchFloat32Error: Losses };

/** The generator's mosaic of 16 × 16 coloured squares. */
function image(index: number, side: number): Uint8Array {
  const squares = bits(`byol-r50/image/${index}`, 16 * 16 * 3);
  const square = side / 16;
  return Uint8Array.from({ length: side * side * 3 }, (_, at) => {
    const [y, x] = [Math.floor(at / 3 / side / square), Math.floor(((at / 3) % side) / square)];
    return squares[(y * 16 + x) * 3 + (at % 3)]! >>> 24;
  });
}

/** The generator's first weights. */
const value = (name: string, shape: readonly number[]): Float32Array =>
  // A small scale of each block's last norm keeps the depth from amplifying rounding errors.
  name.endsWith(".bn3.weight") ? tensor(name, shape, 0.05, 0.2) : parameter(name, shape);

/**
 * Ours lands within 3 times of PyTorch's own distance between float32 and float64; another order of sums may land
 * elsewhere within a few of those.
 */
const SLACK = 8;
const FLOOR = 2e-7;

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "byol-r50-"));
  const side = preset.image.stored;
  for (const split of ["train", "val"])
    for (let i = 0; i < IMAGES; i++) {
      const folder = join(root, split, `class${Math.floor((i * CLASSES) / IMAGES)}`);
      mkdirSync(folder, { recursive: true });
      const raw = { width: side, height: side, channels: 3 } as const;
      await sharp(image(i, side), { raw })
        .png()
        .toFile(join(folder, `${i}.png`));
    }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it("the golden run was drawn as the trainer draws", () => {
  expect(JSON.parse(JSON.stringify(drawn()))).toEqual(golden("byol-r50-views"));
});

it("imagenet-r50 takes the golden steps on cpu", async () => {
  const want = golden<Record<`step${number}`, Step>>("byol-r50");
  const [device, data] = await Promise.all([openDevice("cpu"), openFolder(root, preset.image)]);
  const learner = makeLearner(device, preset, CLASSES, SEED);
  await loadFormula(learner.online, (name, shape) => value(`online/${name}`, shape));
  await loadFormula(learner.target!, (name, shape) => value(`target/${name}`, shape));
  const seen: StepMetrics[] = [];
  const training = prepareTraining(learner, {
    ...{ device, preset, data, seed: SEED, steps: STEPS },
    onStep: (metrics) => seen.push(metrics),
  });
  await training.run();
  await Promise.all([data.close(), device.destroy()]);

  const off = seen.map(({ loss, probe_loss }, k) => {
    const { representationLoss, probeLoss } = want[`step${k}`]!;
    return [Math.abs(loss / representationLoss - 1), Math.abs(probe_loss! / probeLoss - 1)];
  });
  console.log(`imagenet-r50 on cpu, deviations of the losses: ${JSON.stringify(off)}`);
  expect(off).toHaveLength(STEPS);
  off.forEach(([loss, probe], k) => {
    const { torchFloat32Error: error } = want[`step${k}`]!;
    expect(loss, `loss of step ${k}`).toBeLessThan(SLACK * Math.max(error.representationLoss, FLOOR));
    expect(probe, `probe of step ${k}`).toBeLessThan(SLACK * Math.max(error.probeLoss, FLOOR));
  });
}, 600_000);
