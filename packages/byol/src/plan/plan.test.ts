import { type Device, openDevice } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { override } from "../config/override.js";
import { openDigits } from "../images/node/digits.js";
import { imaginedImages } from "../images/imagined.js";
import type { DataSource } from "../images/source.js";
import type { Preset } from "../presets/preset.js";
import { presetNamed } from "../presets/index.js";
import { makeLearner } from "../training/setup.js";
import { prepareTraining } from "../training/trainer.js";
import { checkBatch } from "./batch.js";
import { planRun } from "./plan.js";
import { planReport } from "./report.js";
import { bytesOf, workOf } from "./step.js";

let device: Device;
let data: DataSource;
const tiny = presetNamed("tiny");
beforeAll(async () => {
  device = await openDevice("cpu");
  data = await openDigits({ stored: 28, channels: 3, background: [0, 0, 0] });
});
afterAll(() => Promise.all([data.close(), device.destroy()]));

describe("work", () => {
  it("of a small net is what a count by hand gives", () => {
    // tiny at 16 pixels: a 3×3 stem of 4 channels; a basic block of 4 with a projection; one of 8 at half the side.
    const stem = 256 * 9 * 3 * 4;
    const first = 256 * (9 * 4 * 4 + 9 * 4 * 4 + 4 * 4);
    const second = 64 * (9 * 4 * 8 + 9 * 8 * 8 + 4 * 8);
    const [projector, predictor, probe] = [8 * 16 + 16 * 8, 8 * 16 + 16 * 8, 8 * 10];
    const encoder = stem + first + second;
    const forward = encoder + projector + predictor;
    // Backward: a product by the weight and one by the input for each, but none by the images.
    const backward = 2 * forward - stem;
    expect(workOf(device, tiny, 10)).toEqual({
      encoder,
      forward,
      forwardBackward: forward + backward,
      // The target makes no predictions; the probe sees one view, and its input is no function of weights.
      step: 2 * (forward + backward) + 2 * (encoder + projector) + 2 * probe,
    });
  });

  it.each([
    // conv1, then each group by its convolutions (He et al. 2015, Table 1), with projections in the first group.
    ["imagenet-r50", 4_089_184_256 - 2_048_000],
    ["imagenette-r18", undefined],
  ])("of %s's encoder at 224 pixels", (name, published) => {
    const preset = override(presetNamed(name), [["image.size", 224]]);
    const bottlenecks = (side: number, from: number, inner: number, count: number, stride: number) => {
      const [before, after, out] = [(side * stride) ** 2, side ** 2, 4 * inner];
      const rest = after * (out * inner + 9 * inner * inner + inner * out);
      return before * from * inner + after * (9 * inner ** 2 + inner * out + from * out) + (count - 1) * rest;
    };
    const basics = (side: number, from: number, to: number, count: number) =>
      side ** 2 * (9 * from * to + 9 * to * to + from * to + (count - 1) * 18 * to * to);
    const stem = 112 ** 2 * 49 * 3 * 64;
    const byHand =
      preset.network.block === "bottleneck"
        ? stem +
          bottlenecks(56, 64, 64, 3, 1) +
          bottlenecks(28, 256, 128, 4, 2) +
          bottlenecks(14, 512, 256, 6, 2) +
          bottlenecks(7, 1024, 512, 3, 2)
        : stem +
          basics(56, 64, 64, 2) +
          basics(28, 64, 128, 2) +
          basics(14, 128, 256, 2) +
          basics(7, 256, 512, 2);
    expect(workOf(device, preset, 0).encoder).toBe(byHand);
    if (published !== undefined) expect(byHand).toBe(published);
  });
});

describe("memory", () => {
  it("planned is what a run then holds", async () => {
    const own = await openDevice("cpu");
    try {
      const learner = makeLearner(own, tiny, data.classes.length, 0);
      let arena = 0;
      const training = prepareTraining(learner, {
        ...{ device: own, preset: tiny, data, seed: 0, steps: 1 },
        onStep: () => {
          arena = own.memory().arena;
        },
      });
      await training.run();
      const planned = await bytesOf(own, tiny, data.image, data.classes.length);
      expect(planned.step).toBe(arena);
      // The plan holds its arguments on the device, where a run writes them from the host: a batch of images and its rows.
      const { peak } = own.memory();
      expect(planned.peak).toBeGreaterThanOrEqual(peak);
      expect(planned.peak).toBeLessThan(peak + 1.5 * tiny.batch * 28 * 28 * 3);
    } finally {
      await own.destroy();
    }
  });
  it("of the weights is that of both networks and their statistics", async () => {
    const { weights, optimizer } = await bytesOf(device, tiny, data.image, 0);
    const { arena } = makeLearner(device, tiny, 0, 0).online;
    expect(weights).toBeGreaterThan(2 * 4 * arena.length);
    // AdamW carries two moments.
    expect(optimizer).toBe(2 * 4 * arena.length);
  });
});

describe("planRun", () => {
  it("tells the steps, and times some where asked", async () => {
    const plan = await planRun({ device, preset: override(tiny, [["epochs", 2]]), data, measure: 2 });
    expect(plan).toMatchObject({
      images: 8004,
      batch: 16,
      stepsPerEpoch: 500,
      steps: 1000,
      warmupSteps: 250,
    });
    expect(plan.secondsPerStep).toBeGreaterThan(0);
    expect(plan.refusal).toBeUndefined();
    expect(planReport(plan)).toMatch(/1,000 in all/);
  });
  it("refuses what does not fit, and says what does", async () => {
    const { peak } = await bytesOf(device, tiny, data.image, data.classes.length);
    const plan = await planRun({ device, preset: tiny, data, memory: peak - 1, measure: 1 });
    expect(plan.refusal).toMatch(/what fits: --set network.checkpoint=stage, or --batch 8 --accumulate 2$/);
    expect(plan.secondsPerStep).toBeUndefined();
    const none = await planRun({ device, preset: tiny, data, memory: 1000 });
    expect(none.refusal).toMatch(/nothing of this network fits/);
  });
  it("proposes the largest batch that makes up the effective one, with recomputation where it takes both", async () => {
    const needs = async (preset: Preset) => (await bytesOf(device, preset, data.image, 10)).peak;
    const proposal = async (memory: number) => (await planRun({ device, preset, data, memory })).refusal;
    // Twelve is six twice and four three times; an accumulated step takes a gradient's room more.
    const preset = override(tiny, [
      ["batch", 12],
      ["accumulate", 2],
    ]);
    const six = await needs({ ...preset, batch: 6, accumulate: 4 });
    expect(await proposal(six)).toMatch(/--batch 6 --accumulate 4$/);
    expect(await proposal(six - 1)).toMatch(/--batch 4 --accumulate 6$/);
    const least = await needs({ ...preset, batch: 2, accumulate: 12 });
    expect(await proposal(least - 1)).toMatch(
      /what fits: --set network.checkpoint=block --batch \d --accumulate \d+$/,
    );
  });
  it("says so where the weights alone are more than a buffer holds", async () => {
    const plan = await planRun({ device, preset: override(tiny, [["network.width", 2048]]), data });
    expect(plan.refusal).toMatch(/bytes, more than one buffer.*; nothing of this network fits/);
    expect(plan.parameters["encoder"]).toBeGreaterThan(2 ** 28);
    expect(plan.work.step).toBeGreaterThan(0);
  });
  it("names a buffer that the device cannot hold", async () => {
    const wide = override(tiny, [
      ["batch", 65_536],
      ["network.width", 64],
    ]);
    const plan = await planRun({ device, preset: wide, data });
    expect(plan.refusal).toMatch(/bytes.*; what fits: .*--batch \d+ --accumulate \d+$/);
  });
  it("advises a batch that the data fill and the device holds", async () => {
    const advice = async (images: number, changes: Parameters<typeof override>[1], on = device) => {
      const preset = override(tiny, changes);
      return checkBatch(on, preset, imaginedImages(tiny.image, { images, classes: 3 })).then(
        () => undefined,
        (error: Error) => error.message,
      );
    };
    expect(await advice(16, [])).toBeUndefined();
    expect(await advice(1, [["batch", 2]])).toMatch(
      /one image does not fill a batch of 2, nor .* \(add images\)$/,
    );
    expect(await advice(241, [["batch", 256]])).toMatch(/\(use --batch 128\)$/);
    const both = [
      ["batch", 16],
      ["accumulate", 4],
    ] as const;
    expect(await advice(50, both)).toMatch(
      /50 images do not fill a batch of 64 \(use --batch 32 --accumulate 1\)$/,
    );
    const four = await bytesOf(
      device,
      override(tiny, [["batch", 4]]),
      { height: 28, width: 28, channels: 3 },
      3,
    );
    const small = new Proxy(device, {
      get: (of, name) => (name === "totalBytes" ? four.peak : Reflect.get(of, name, of)),
    });
    expect(await advice(241, [["batch", 256]], small)).toMatch(/\(use --batch 4\)$/);
    const none = new Proxy(device, {
      get: (of, name) => (name === "totalBytes" ? 1000 : Reflect.get(of, name, of)),
    });
    expect(await advice(241, [["batch", 256]], none)).toMatch(/take a smaller network/);
  });
  it("refuses the reference device", async () => {
    const reference = await openDevice("reference");
    await expect(planRun({ device: reference, preset: tiny, data })).rejects.toThrow(/plans no memory/);
    await reference.destroy();
  });
});
