/** Steps of every method but BYOL, which has tests of its own in test/byol and test/golden. */
import { add, type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Learner, learnerState, learnerStep, type Views } from "../learner/learner.js";
import { Network } from "../learner/network.js";
import type { Head } from "../learner/settings.js";
import type { Preset } from "../presets/preset.js";
import { presetNamed } from "../presets/index.js";
import { withMethod } from "../presets/with-method.js";
import { makeLearner } from "../training/setup.js";
import { headsOf, methods } from "./index.js";

let cpu: Device;
let reference: Device;
beforeAll(async () => {
  [cpu, reference] = [await openDevice("cpu"), await openDevice("reference")];
});
afterAll(() => Promise.all([cpu.destroy(), reference.destroy()]));
const read = async (t: Tensor) => Array.from(await t.data());
const tiny = presetNamed("tiny");
const others = methods.map(({ name }) => name).filter((name) => name !== "byol");

/** Heads as small as the toy's, so that float64 loops take no time. */
function shrink(preset: Preset): Preset {
  const { method } = preset;
  const heads = headsOf(method);
  const small = (head: Head): Head => ({ ...head, hidden: head.hidden.map(() => 16), output: 8 });
  return {
    ...preset,
    method: {
      ...method,
      ...(heads.projector && { projector: small(heads.projector) }),
      ...(heads.predictor && { predictor: small(heads.predictor) }),
      ...("queue" in method && { queue: 20 }),
    },
  };
}

/** Numbers of a few steps on two views of eight waves, and everything that changed. */
async function steps(device: Device, preset: Preset, count: number) {
  const learner = makeLearner(device, preset, 10, 1);
  const { size, channels } = preset.image;
  const wave = (phase: number) =>
    device.tensor(
      Float32Array.from({ length: 8 * size * size * channels }, (_, i) => Math.sin(0.37 * i * phase)),
      [8, size, size, channels],
    );
  const step = device.capture((x1: Tensor, x2: Tensor, y: Tensor, s: Tensor) =>
    learnerStep(learner, [x1, x2] as Views, y, s),
  );
  const labels = device.tensor(Int32Array.from([0, 1, 2, 3, 4, 5, 6, 7]));
  const seen: number[][] = [];
  for (let k = 0; k < count; k++) {
    const scalars = learner.optimizer.numbers({ lr: 1e-3, peak: 1e-3, tau: 0.9, step: k });
    seen.push(await read(await step(wave(1 + k), wave(1.1 + k), labels, scalars)));
  }
  step.release();
  return { learner, seen };
}
const stateOf = async (learner: Learner) =>
  new Map(
    await Promise.all([...learnerState(learner)].map(async ([k, v]) => [k, await read(v.value)] as const)),
  );

describe.each(others)("%s", (name) => {
  const preset = shrink(withMethod(tiny, name));
  it("takes the same steps on cpu as in float64, and moves all of its state", async () => {
    const [one, exact] = [await steps(cpu, preset, 3), await steps(reference, preset, 3)];
    for (const [k, wanted] of exact.seen.entries())
      for (const [i, v] of wanted.entries())
        expect(Math.abs(one.seen[k]![i]! - v), `number ${i} of step ${k}`).toBeLessThan(2e-3);
    expect(exact.seen[0]![1]).toBeGreaterThan(0.01);
    const [start, end] = [await stateOf(makeLearner(cpu, preset, 10, 1)), await stateOf(one.learner)];
    const still = [...end].filter(([key, value]) => String(value) === String(start.get(key)));
    expect(still.map(([key]) => key)).toEqual([]);
    const parts = new Set([...end.keys()].map((key) => key.split(".")[0]));
    const moco = name === "moco" ? ["target", "memory"] : [];
    expect([...parts]).toEqual(["online", ...moco, "optimizer"]);
  });
});

it("supervised asks for labels", () => {
  expect(() => makeLearner(cpu, withMethod(tiny, "supervised"), 0, 0)).toThrow(/needs labels/);
});

describe("rates of the released codes", () => {
  /** Parameters that a step at a learning rate of 0, with a peak of 0.1, has moved. */
  async function moved(preset: Preset): Promise<string[]> {
    const learner = makeLearner(cpu, preset, 0, 1);
    const names = learner.online.arena.segments.map(({ name }) => name);
    const values = () => Promise.all(learner.online.arena.values().map(read));
    const before = await values();
    const scalars = learner.optimizer.numbers({ lr: 0, peak: 0.1 });
    learner.optimizer.update(
      learner.online.arena.values().map((value) => add(value, 1)),
      scalars,
    );
    const after = await values();
    return names.filter((_, k) => String(before[k]) !== String(after[k]));
  }
  it("SimSiam's predictor keeps the peak while all else decays, unless it is scheduled", async () => {
    const preset = shrink(withMethod(tiny, "simsiam"));
    const predictor = [...new Network(preset, headsOf(preset.method), 0).namedParameters()]
      .map(([name]) => name)
      .filter((name) => name.startsWith("predictor."));
    expect(predictor.length).toBeGreaterThan(3);
    for (const optimizer of [tiny.optimizer, { ...presetNamed("imagenet-r50").optimizer }])
      expect(await moved({ ...preset, optimizer })).toEqual(predictor);
    const method = { ...preset.method, predictorRate: "scheduled" };
    expect(await moved({ ...preset, method })).toEqual([]);
    expect(withMethod(presetNamed("imagenet-r50"), "simsiam").method).toMatchObject({
      predictorRate: "constant",
    });
  });
  it("Barlow Twins' biases and norms learn at 0.0048 where weights do at 0.2", () => {
    const { optimizer } = withMethod(presetNamed("imagenet-r50"), "barlow-twins");
    const preset = { ...shrink(withMethod(tiny, "barlow-twins")), optimizer };
    const table = makeLearner(cpu, preset, 10, 0).optimizer.describe().split("\n").slice(1);
    const rates = new Set(
      table.map((line) =>
        line
          .split(/\s{2,}/)
          .slice(2, 5)
          .join(" "),
      ),
    );
    expect(rates).toEqual(new Set(["yes yes 1", "no no 0.024"]));
  });
});
