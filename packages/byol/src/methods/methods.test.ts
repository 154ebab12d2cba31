import { grad } from "@dawnstrap/autograd";
import { add, concat, type Device, l2Normalize, mul, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { firstView } from "../images/augment/settings.js";
import { openDigits } from "../images/node/digits.js";
import type { DataSource } from "../images/source.js";
import { type Learner, learnerState, learnerStep, type Views } from "../learner/learner.js";
import { Network } from "../learner/network.js";
import type { Head } from "../learner/settings.js";
import { parsePreset, type Preset } from "../presets/preset.js";
import { presetNamed, presets } from "../presets/index.js";
import { withMethod } from "../presets/with-method.js";
import { rateWarning } from "../learner/rates.js";
import type { StepMetrics } from "../metrics.js";
import { makeLearner, makeSchedule } from "../training/setup.js";
import { Stream } from "../images/streams.js";
import { prepareTraining } from "../training/trainer.js";
import { crossCorrelationLoss } from "./barlow-twins.js";
import { byolSettings } from "./byol.js";
import { headsOf, methods } from "./index.js";
import { infoNce, KeyQueue } from "./moco.js";
import { ntXent } from "./simclr.js";
import { negativeCosine } from "./simsiam.js";
import { variantNames } from "./variants.js";

let cpu: Device;
let reference: Device;
beforeAll(async () => {
  [cpu, reference] = [await openDevice("cpu"), await openDevice("reference")];
});
afterAll(() => Promise.all([cpu.destroy(), reference.destroy()]));

const stream = new Stream(4, "subset");
const numbers = (count: number) => Float32Array.from({ length: count }, () => stream.between(-1, 1));
const rows = (values: ArrayLike<number>, width: number, device = reference) =>
  device.tensor(Float32Array.from(values), [values.length / width, width]);
const read = async (t: Tensor) => Array.from(await t.data());

describe("losses, by hand", () => {
  it("NT-Xent: two images, each view at its own axis", async () => {
    // Similarities of a view: its partner 1, the two views of the other image 0.
    const z = rows([1, 0, 0, 1, 2, 0, 0, 3], 2);
    expect(await ntXent(z, 0.5).item()).toBeCloseTo(Math.log(Math.exp(2) + 2) - 2, 6);
  });
  it("InfoNCE: the key against two negatives", async () => {
    const loss = infoNce(rows([1, 0], 2), rows([0.6, 0.8], 2), rows([0, 1, -1, 0], 2), 0.2);
    expect(await loss.item()).toBeCloseTo(Math.log(Math.exp(3) + 1 + Math.exp(-5)) - 3, 6);
  });
  it("negative cosine: parallel −1, at right angles 0, opposite 1", async () => {
    expect(await negativeCosine(rows([1, 2], 2), rows([2, 4], 2)).item()).toBeCloseTo(-1, 6);
    expect(await negativeCosine(rows([1, 0], 2), rows([0, 2], 2)).item()).toBeCloseTo(0, 6);
    expect(await negativeCosine(rows([1, 2], 2), rows([-1, -2], 2)).item()).toBeCloseTo(1, 6);
  });
  it("Barlow Twins: C = [[1, 0], [0, 1]] and [[1, 1], [1, 1]] and −1 for opposite features", async () => {
    const apart = rows([1, 1, 1, -1, -1, 1, -1, -1], 2);
    expect(await crossCorrelationLoss(apart, apart, 0.1).item()).toBeCloseTo(0, 4);
    const same = rows([1, 1, -1, -1], 2);
    expect(await crossCorrelationLoss(same, same, 0.1).item()).toBeCloseTo(0.2, 4);
    expect(await crossCorrelationLoss(same, mul(same, -1), 0).item()).toBeCloseTo(8, 3);
  });
});

describe("losses, their invariances", () => {
  const [a, b] = [numbers(6 * 4), numbers(6 * 4)];
  /** Each with its value at (a, b) and its gradient by a. */
  const losses: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>> = {
    "NT-Xent": (x, y) => ntXent(concat([x, y]), 0.3),
    InfoNCE: (x, y) => infoNce(l2Normalize(x), l2Normalize(y), l2Normalize(rows(a.map(Math.cos), 4)), 0.3),
    "negative cosine": negativeCosine,
  };
  it.each(Object.keys(losses))(
    "%s does not see lengths, and its gradient is at right angles",
    async (name) => {
      const loss = losses[name]!;
      const [x, y] = [rows(a, 4), rows(b, 4)];
      expect(await loss(mul(x, 7), mul(y, 0.2)).item()).toBeCloseTo(await loss(x, y).item(), 5);
      const g = await read(grad((v: Tensor) => loss(v, y))(x)[0]!);
      for (let i = 0; i < 6; i++) {
        const along = [0, 1, 2, 3].reduce((sum, j) => sum + g[4 * i + j]! * a[4 * i + j]!, 0);
        expect(Math.abs(along)).toBeLessThan(1e-6);
      }
      expect(Math.max(...g.map(Math.abs))).toBeGreaterThan(1e-3);
    },
  );
  it("NT-Xent does not mind which view comes first", async () => {
    const [x, y] = [rows(a, 4), rows(b, 4)];
    expect(await ntXent(concat([x, y]), 0.3).item()).toBeCloseTo(await ntXent(concat([y, x]), 0.3).item(), 6);
  });
  it("negative cosine has no gradient by what is told", async () => {
    const [, g] = grad((x: Tensor, y: Tensor) => negativeCosine(x, y))(rows(a, 4), rows(b, 4));
    expect(await read(g!)).toEqual(new Array(24).fill(0));
  });
  it("Barlow Twins sees neither scale nor shift of a feature", async () => {
    const [x, y] = [rows(a, 4), rows(b, 4)];
    const moved = rows(
      a.map((v, i) => v * (1 + (i % 4)) + (i % 4)),
      4,
    );
    const [one, other] = [crossCorrelationLoss(x, y, 0.1), crossCorrelationLoss(moved, y, 0.1)];
    expect(await other.item()).toBeCloseTo(await one.item(), 3);
  });
});

describe("the queue of keys", () => {
  it.each(["cpu", "reference"] as const)("is a ring that captured steps write on %s", async (kind) => {
    const device = kind === "cpu" ? cpu : reference;
    const queue = new KeyQueue(5, 2).init(device).fill(device, 3);
    const start = await read(queue.keys.value);
    for (let i = 0; i < 5; i++) expect(Math.hypot(start[2 * i]!, start[2 * i + 1]!)).toBeCloseTo(1, 5);
    const step = device.capture((keys: Tensor) => {
      const old = queue.keys.value;
      queue.push(keys);
      return mul(old, 1);
    });
    expect(await read(await step(rows([1, 1, 2, 2], 2, device)))).toEqual(start);
    await step(rows([3, 3, 4, 4], 2, device));
    expect(await read(queue.keys.value)).toEqual([1, 1, 2, 2, 3, 3, 4, 4, ...start.slice(8)]);
    await step(rows([5, 5, 6, 6], 2, device));
    expect(await read(queue.keys.value)).toEqual([6, 6, 2, 2, 3, 3, 4, 4, 5, 5]);
    expect(await read(queue.pointer.value)).toEqual([1]);
  });
});

const tiny = presetNamed("tiny");
const others = methods.map(({ name }) => name).filter((name) => name !== "byol");

describe("variants", () => {
  it("are valid presets, for every preset", () => {
    for (const preset of Object.values(presets))
      for (const name of variantNames) {
        const made = withMethod(preset, name);
        expect(parsePreset(made)).toEqual(made);
      }
  });
  it("have the settings of the network's scale: digits, ResNet-18 on small photographs, ResNet-50 on ImageNet", () => {
    const settings = (name: string) => {
      const { method, optimizer, views, source } = withMethod(presetNamed(name), "barlow-twins");
      const own = views === presetNamed(name).views;
      return [optimizer.kind, headsOf(method).projector?.output, own, source.split(",")[0]];
    };
    const resnet18 = ["lars", 2048, true, "solo-learn's for a ResNet-18 on CIFAR"];
    for (const name of ["digits", "emoji", "tiny"])
      expect(settings(name)).toEqual(["adamw", 256, true, "chosen for short runs on digits"]);
    for (const name of ["cifar10-r18", "cifar100-r18", "stl10-r18", "imagenette-r18", "folder"])
      expect(settings(name)).toEqual(resnet18);
    for (const name of ["imagenet-r50", "imagenet-r200x2"])
      expect(settings(name)).toEqual(["lars", 8192, false, "as published for ResNet-50 on ImageNet"]);
  });
  it("have rates that fit their optimisers", () => {
    for (const preset of Object.values(presets))
      for (const name of variantNames) expect(rateWarning(withMethod(preset, name)), name).toBeUndefined();
  });
  it("say which names there are, and that the queue must hold a batch", () => {
    expect(() => withMethod(tiny, "simclrr")).toThrow(/"simclrr".*byol, simclr.*byol-tau-0/);
    expect(() => withMethod(withMethod(tiny, "moco"), "byol-tau-0")).toThrow(/from a preset for byol/);
    expect(() => parsePreset({ ...withMethod(tiny, "moco"), batch: 4096 })).toThrow(/method.queue.*8192/);
  });
  it("have a τ where there is a target, which rises or stays", () => {
    const tau = (name: string) => makeSchedule(withMethod(tiny, name), 10, 100)(50).tau;
    expect(tau("byol")).toBeCloseTo(0.95, 6);
    expect([tau("byol-tau-0"), tau("byol-tau-1"), tau("moco")]).toEqual([0, 1, 0.99]);
    expect(tau("simclr")).toBeUndefined();
  });
  it("supervised asks for labels", () => {
    expect(() => makeLearner(cpu, withMethod(tiny, "supervised"), 0, 0)).toThrow(/needs labels/);
  });
});

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
    const scalars = device.tensor(learner.optimizer.scalars({ lr: 1e-3, peak: 1e-3, tau: 0.9, step: k }));
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

describe("rates of the released codes", () => {
  /** Parameters that a step at a learning rate of 0, with a peak of 0.1, has moved. */
  async function moved(preset: Preset): Promise<string[]> {
    const learner = makeLearner(cpu, preset, 0, 1);
    const names = learner.online.arena.segments.map(({ name }) => name);
    const values = () => Promise.all(learner.online.arena.values().map(read));
    const before = await values();
    const scalars = cpu.tensor(learner.optimizer.scalars({ lr: 0, peak: 0.1 }));
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

let data: DataSource;
beforeAll(async () => {
  data = await openDigits({ stored: 28, channels: 3, background: [0, 0, 0] });
});

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
