import { type Device, openDevice } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDigits } from "../images/node/digits.js";
import type { DataSource } from "../images/source.js";
import { byolSettings } from "../methods/byol.js";
import { presetNamed } from "../presets/index.js";
import type { StepMetrics } from "../metrics.js";
import { makeLearner } from "../training/setup.js";
import { Stream } from "../images/streams.js";
import { prepareTraining } from "../training/trainer.js";
import { CollapseAlarm } from "./alarm.js";
import { effectiveRank } from "./effective-rank.js";
import { lookInterval, Watcher } from "./watcher.js";

/** Standard normal numbers. */
function normals(count: number, seed = 1): Float32Array {
  const stream = new Stream(seed, "subset");
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - stream.uniform())) * Math.cos(2 * Math.PI * stream.uniform()),
  );
}

describe("effectiveRank", () => {
  it("is the number of directions that rows spread along alike", () => {
    // ±e₁ … ±e₅ in eight dimensions: five equal eigenvalues.
    const rows = new Float32Array(10 * 8);
    for (let i = 0; i < 10; i++) rows[i * 8 + (i >> 1)] = i % 2 === 0 ? 3 : -0.5;
    expect(effectiveRank(rows, 8)).toBeCloseTo(5, 6);
  });
  it("is exp of the eigenvalues' entropy", () => {
    // Unit rows ±(a, b) and ±(a, −b): covariance diag(a², b²).
    const [a, b] = [Math.sqrt(0.9), Math.sqrt(0.1)];
    const rows = Float32Array.of(a, b, -a, -b, a, -b, -a, b);
    expect(effectiveRank(rows, 2)).toBeCloseTo(Math.exp(-0.9 * Math.log(0.9) - 0.1 * Math.log(0.1)), 5);
  });
  it("is the same by covariance and by Gram matrix", () => {
    const flat = normals(12 * 12);
    const square = effectiveRank(flat, 12);
    // A thirteenth feature that is always 0 changes nothing but the way it is computed.
    const wide = Float32Array.from({ length: 12 * 13 }, (_, i) =>
      i % 13 < 12 ? flat[Math.floor(i / 13) * 12 + (i % 13)]! : 0,
    );
    expect(effectiveRank(wide, 13)).toBeCloseTo(square, 6);
  });
  it("is nearly the width for many isotropic rows, 1 on a line, 0 on a point", () => {
    expect(effectiveRank(normals(4000 * 8), 8)).toBeGreaterThan(7.9);
    const line = Float32Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 1 : i));
    expect(effectiveRank(line, 2)).toBeLessThan(1.3);
    expect(effectiveRank(new Float32Array(80).fill(0.3), 8)).toBe(0);
    expect(effectiveRank(new Float32Array(0), 8)).toBe(0);
    expect(effectiveRank(Float32Array.of(1, 0, Number.NaN, 1), 2)).toBeNaN();
  });
});

describe("CollapseAlarm", () => {
  const at = (std: number, effective_rank?: number): StepMetrics => ({
    ...{ step: 0, epoch: 0, loss: 1, lr: 0.1, tau: 0.99, std, images_per_second: 1 },
    ...(effective_rank !== undefined && { effective_rank }),
  });
  it("rings once, after three bad looks in a row; steps without a look do not count", () => {
    const alarm = new CollapseAlarm(64);
    const rung = [
      at(0.001, 20),
      at(0.12, 20),
      at(0.001, 20),
      at(0.001),
      at(0.001, 20),
      at(0.001, 20),
      at(0, 0),
    ].map((metrics) => alarm.ring(metrics).alarm);
    expect(rung.map((text) => text !== undefined)).toEqual([false, false, false, false, false, true, false]);
    expect(rung[5]).toMatch(/one point.*std 1\.0e-3 \(healthy: about 0\.125\).*rank 20\.0 of 64/);
  });
  it("rings where everything lies on one line, and not for a healthy run", () => {
    const line = new CollapseAlarm(64);
    expect([1, 2, 3].map(() => line.ring(at(0.1, 1.05)).alarm).at(-1)).toMatch(/one line/);
    const healthy = new CollapseAlarm(64);
    for (let i = 0; i < 10; i++) expect(healthy.ring(at(0.1, 4)).alarm).toBeUndefined();
  });
});

describe("Watcher", () => {
  let device: Device;
  let data: DataSource;
  const tiny = presetNamed("tiny");
  beforeAll(async () => {
    device = await openDevice("cpu");
    data = await openDigits({ stored: 28, channels: 3, background: [0, 0, 0] });
  });
  afterAll(() => device.destroy());

  it("looks rarely enough where batches are small", () => {
    expect([4, 64, 4096].map(lookInterval)).toEqual([640, 50, 50]);
  });

  it("sees rank, distance and kNN at their steps, and changes nothing", async () => {
    const preset = { ...tiny, evaluate: { ...tiny.evaluate, knnEvery: 1 } };
    const plan = { steps: 200, stepsPerEpoch: 2 };
    const byol = makeLearner(device, preset, data.classes.length, 0);
    const before = await byol.online.arena.flat.value.data();
    const watcher = new Watcher(byol, { device, preset, data });
    const keys = async (step: number) => Object.keys(await watcher.after(step, plan));
    expect(await keys(1)).toEqual(["knn_accuracy"]);
    expect(await keys(2)).toEqual([]);
    expect(await keys(199)).toEqual(["effective_rank", "target_distance", "knn_accuracy"]);
    const seen = await watcher.after(0, plan);
    expect(seen.effective_rank).toBeGreaterThan(1);
    expect(seen.effective_rank).toBeLessThanOrEqual(byol.online.projectionSize);
    // Two independent draws of the same weights (scales of norms are equal): the distance is that of their values.
    const [theta, xi] = await Promise.all(
      [byol.online, byol.target!].map(async ({ arena }) => [...(await arena.flat.value.data())]),
    );
    const squares = (values: number[]) => values.reduce((sum, v) => sum + v * v, 0);
    const wanted = Math.sqrt(squares(theta!.map((v, i) => v - xi![i]!)) / squares(theta!));
    expect(seen.target_distance).toBeCloseTo(wanted, 5);
    expect(seen.target_distance).toBeGreaterThan(0.1);
    expect(await byol.online.arena.flat.value.data()).toEqual(before);
    watcher.release();
  });

  it("warns of a collapse on the way: a predictor that does nothing", async () => {
    const optimizer = { ...tiny.optimizer, learningRate: 0.2 };
    const method = { ...byolSettings(16, 8, { start: "copy", tau: 0.9 }), predictor: null };
    const preset = { ...tiny, method, batch: 52, optimizer };
    const learner = makeLearner(device, preset, 0, 0);
    const watcher = new Watcher(learner, { device, preset, data });
    const alarm = new CollapseAlarm(learner.online.projectionSize);
    const lines: StepMetrics[] = [];
    await prepareTraining(learner, {
      ...{ device, preset, data: { ...data, classes: [] }, seed: 0, steps: 201 },
      watch: (step, plan) => watcher.after(step, plan),
      onStep: (metrics) => lines.push(alarm.ring(metrics)),
    }).run();
    watcher.release();
    expect(lines[0]!.std).toBeGreaterThan(0.1);
    expect(lines.filter((line) => line.alarm)).toHaveLength(1);
  });
});
