/** BYOL with something taken away: what changes, and what collapses. */
import { type Device, openDevice } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { firstView } from "../images/augment/settings.js";
import { openDigits } from "../images/node/digits.js";
import type { DataSource } from "../images/source.js";
import { Network } from "../learner/network.js";
import { presetNamed } from "../presets/index.js";
import { withMethod } from "../presets/with-method.js";
import type { StepMetrics } from "../metrics.js";
import { makeLearner } from "../training/setup.js";
import { prepareTraining } from "../training/trainer.js";
import { byolSettings } from "./byol.js";
import { headsOf } from "./index.js";

let cpu: Device;
let data: DataSource;
beforeAll(async () => {
  cpu = await openDevice("cpu");
  data = await openDigits({ stored: 28, channels: 3, background: [0, 0, 0] });
});

afterAll(() => cpu.destroy());

const tiny = presetNamed("tiny");

describe("BYOL's ablations", () => {
  /** The first loss without predictor and with a copied target: 0 exactly where both views are the same. */
  async function firstLoss(name: string): Promise<number> {
    const method = { ...byolSettings(16, 8, { start: "copy", tau: 0.9 }), predictor: null };
    const preset = withMethod({ ...tiny, method, views: [firstView, firstView] }, name);
    let loss = Number.NaN;
    await prepareTraining(makeLearner(cpu, preset, 0, 0), {
      ...{ device: cpu, preset, data: { ...data, classes: [] }, seed: 0, steps: 1 },
      onStep: (metrics) => {
        loss = metrics.loss;
      },
    }).run();
    return loss;
  }
  it("shared views are the same view twice", async () => {
    expect(await firstLoss("byol-shared-views")).toBeLessThan(1e-6);
    expect(await firstLoss("byol")).toBeGreaterThan(1e-3);
  });
  it("no-norm leaves the heads without norms, and the encoder with them", () => {
    const preset = withMethod(tiny, "byol-no-norm");
    const names = [...new Network(preset, headsOf(preset.method), 0).namedParameters()]
      .filter(([, { kind }]) => kind === "norm")
      .map(([name]) => name.split(".")[0]);
    expect(new Set(names)).toEqual(new Set(["encoder"]));
  });
});

describe("collapse", () => {
  /** The spread of the projections as a share of that of isotropic ones, at the end of a short run. */
  async function share(name: string): Promise<number> {
    const method = byolSettings(32, 16, { start: "copy", tau: 0.9 });
    const optimizer = { ...tiny.optimizer, learningRate: 0.15 };
    const preset = withMethod({ ...tiny, method, optimizer, batch: 32 }, name);
    const all: StepMetrics[] = [];
    const learner = makeLearner(cpu, preset, 0, 0);
    await prepareTraining(learner, {
      ...{ device: cpu, preset, data: { ...data, classes: [] }, seed: 0, steps: 50 },
      onStep: (metrics) => all.push(metrics),
    }).run();
    const last = all.slice(-10).map(({ std }) => std);
    const mean = last.reduce((sum, v) => sum + v, 0) / last.length;
    console.log(`${name}: std ${all[0]!.std.toFixed(4)} → ${mean.toFixed(4)} of ${1 / 4}`);
    return mean * 4;
  }
  it("comes without predictor, with a target or with τ = 0, and with it to neither", async () => {
    expect(await share("byol-no-predictor")).toBeLessThan(0.25);
    expect(await share("byol-collapse")).toBeLessThan(0.25);
    expect(await share("byol")).toBeGreaterThan(0.5);
    // τ = 0 is SimSiam's loss: the stopped gradient and the predictor hold it, here at least.
    expect(await share("byol-tau-0")).toBeGreaterThan(0.5);
  });
});
