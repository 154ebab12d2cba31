/** The evaluation protocols on pictures of four kinds, with encoders that know nothing and one that knows the kinds. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { presetNamed } from "@dawnstrap/byol";
import { type DataSource, type ImageSet, memorySet, type Splits, subset } from "@dawnstrap/byol/images";
import { readEncoder } from "@dawnstrap/byol/node";
import {
  type EncoderFile,
  evaluateFineTune,
  evaluateKnn,
  evaluateLinear,
  evaluateLinearCached,
  evaluateSemi,
  evaluateTransfer,
  FineTuner,
  randomEncoder,
  type Result,
  resultTable,
} from "@dawnstrap/byol/tasks";
import { encodeStateDict, type HostTensor, ResNet, stateDict } from "@dawnstrap/nn";
import { type Device, openDevice } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bits } from "../golden/formula.js";

const classes = ["bars", "columns", "checks", "plain"];
const side = 16;

/** Noisy grey patterns; what tells the classes apart is texture, not colour. */
function pictures(count: number, stream: string) {
  const noise = bits(stream, count * side * side);
  const labels = Int32Array.from({ length: count }, (_, i) => i % classes.length);
  const pixels = new Uint8Array(count * side * side * 3);
  for (let i = 0; i < count; i++)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const at = (i * side + y) * side + x;
        const on = [y >> 1, x >> 1, (x >> 1) + (y >> 1), 0][labels[i]!]! % 2;
        pixels.fill(60 + 90 * on + (noise[at]! % 60), 3 * at, 3 * at + 3);
      }
  return memorySet(pixels, { height: side, width: side, channels: 3 }, labels);
}

const [trainval, heldOut] = [pictures(200, "train"), pictures(80, "test")];
const places = (wanted: (i: number) => boolean) => [...Array(200).keys()].filter(wanted);
const splits: Splits = {
  trainval,
  test: heldOut,
  train: subset(
    trainval,
    places((i) => i % 10 < 8),
  ),
  val: subset(
    trainval,
    places((i) => i % 10 >= 8),
  ),
};
const data: DataSource = {
  name: "patterns",
  image: { height: side, width: side, channels: 3 },
  classes,
  ...{ train: trainval, heldOut, splits },
  skipped: () => [],
  close: async () => {},
};

let device: Device;
let encoder: EncoderFile;
let folder: string;
beforeAll(async () => {
  device = await openDevice("cpu");
  encoder = await randomEncoder(presetNamed("tiny"), 1);
  folder = await mkdtemp(join(tmpdir(), "evaluate-test-"));
});
afterAll(async () => {
  await device.destroy();
  await rm(folder, { recursive: true, force: true });
});

const subject = () => ({ device, encoder, data, seed: 3 });
const top1 = ({ metrics }: Result) => metrics.top1!.value;

describe("protocols", () => {
  it("kNN, and leave-one-out over the bank", async () => {
    const result = await evaluateKnn(subject(), { k: 10 });
    expect(top1(result)).toBeGreaterThan(0.7);
    expect(result).toMatchObject({ images: { train: 200, test: 80 }, settings: { k: 10, vote: "weighted" } });
    const { low, high, value } = result.metrics.top1!;
    expect(low).toBeLessThanOrEqual(value);
    expect(high).toBeGreaterThanOrEqual(value);
    expect(result.metrics.confusion!.reduce((a, b) => a + b, 0)).toBe(80);
    expect((await evaluateKnn(subject(), { k: 10, leaveOneOut: true })).images.test).toBe(200);
  });

  it("linear evaluation of the frozen encoder chooses a rate and repeats itself", async () => {
    const options = { rates: [50, 0.001], epochs: 20, batch: 50 };
    const result = await evaluateLinear(subject(), options);
    expect(result.settings).toMatchObject({ chosen: { rate: 50 } });
    expect(top1(result)).toBeGreaterThan(0.4);
    const again = await evaluateLinear(subject(), options);
    expect(again.metrics).toEqual(result.metrics);
    const both = await evaluateLinear(subject(), { ...options, regularised: true, augment: "view" });
    expect(both.protocol).toBe("linear (augmented, regularised)");
    expect(both.metrics).not.toEqual(result.metrics);
  });

  it("logistic regression on cached features says that it is not the paper's protocol", async () => {
    const result = await evaluateLinearCached(subject());
    expect(top1(result)).toBeGreaterThan(0.8);
    expect(result.protocol).toMatch(/cached/);
  });

  it("transfer chooses λ on validation images", async () => {
    const result = await evaluateTransfer(subject(), { lambdas: [1e-3, 1, 1e6] });
    expect(top1(result)).toBeGreaterThan(0.8);
    expect(result.settings).toMatchObject({ at_edge: expect.any(Boolean) });
    expect((result.settings.chosen as { lambda: number }).lambda).toBeLessThan(1e6);
  });

  it("fine-tuning chooses among rates, of which some diverge", async () => {
    const result = await evaluateFineTune(subject(), { rates: [0.05, 1e9], steps: [40], batch: 32 });
    expect(top1(result)).toBeGreaterThan(0.8);
    expect(result.settings).toMatchObject({ chosen: { rate: 0.05 } });
    expect(result.images).toMatchObject({ train: 200, validation: 40 });
    await expect(evaluateFineTune(subject(), { rates: [1e9, 1e10], steps: [5], batch: 32 })).rejects.toThrow(
      /finetune: training diverges with the rates 1000000000, 10000000000/,
    );
  });

  it("a sweep of more candidates takes no more memory, and each begins at the same start", async () => {
    const used = async (rates: number[]) => {
      const fresh = await openDevice("cpu");
      // In a scope, so that what is left is what the sweep holds on to, not what the garbage collector has yet to find.
      let result!: Result;
      await fresh.scope(async () => {
        const options = { rates, steps: [3], batch: 32 };
        result = await evaluateFineTune({ ...subject(), device: fresh }, options);
      });
      const { pool } = fresh.memory();
      await fresh.destroy();
      return { pool, tried: result.settings.tried as { validation: number }[] };
    };
    const [few, many] = [await used([0.05, 0.01]), await used([0.05, 1e9, 0.02, 0.01])];
    // Far less than a network.
    expect(many.pool - few.pool).toBeLessThan(4096);
    expect(many.tried[3]!.validation).toBe(few.tried[1]!.validation);
    expect(many.tried[1]!.validation).toBeNull();
  });

  it("the penalty pulls at weights, by its part of one Nesterov step, and at nothing else", async () => {
    const images = { set: trainval, shape: data.image, classes: classes.length };
    const tuner = new FineTuner(device, encoder, images, { batch: 32, seed: 0 });
    const after = async (weightDecay: number) =>
      stateDict((await tuner.train({ learningRate: 0.1, weightDecay, steps: 1 })).encoder);
    const [free, pulled] = [await after(0), await after(0.5)];
    tuner.release();
    for (const [name, share] of [
      ["conv1.weight", 1.9 * 0.1 * 0.5],
      ["bn1.weight", 0],
    ] as const) {
      const [start, a, b] = [encoder.weights, free, pulled].map((d) => d.get(name)!.data as Float32Array);
      a!.forEach((v, i) => expect(v - b![i]!).toBeCloseTo(share * start![i]!, 5));
      expect(a).not.toEqual(start);
    }
  });

  it("fine-tuning with a single candidate holds nothing back; what goes wrong beside the training ends a sweep", async () => {
    const options = { rates: [0.05], steps: [2], batch: 32 };
    expect((await evaluateFineTune(subject(), options)).images.validation).toBeUndefined();
    const unreadable = { ...splits.train, read: () => Promise.reject(new Error("the disk is gone")) };
    const broken = { ...data, splits: { ...splits, train: unreadable } };
    await expect(
      evaluateFineTune({ ...subject(), data: broken }, { ...options, rates: [0.05, 0.01] }),
    ).rejects.toThrow(/the disk is gone/);
  });

  it("a few labels: a class-balanced part, from the encoder or from scratch", async () => {
    const options = { rates: [0.05], epochs: [20], batch: 20 };
    const few = await evaluateSemi(subject(), { share: 0.1 }, options);
    expect(few).toMatchObject({ protocol: "semi 10 %", images: { train: 20 } });
    const scratch = await evaluateSemi(subject(), { share: 0.1 }, { ...options, from: "scratch" });
    expect(scratch.protocol).toBe("semi 10 % from scratch");
    expect(resultTable([few, scratch])).toMatch(/\| semi 10 % \| patterns \|/);
  });

  it("a few labels: the rate is chosen on validation images, none of which is learnt from", async () => {
    const { splits: parts } = data;
    const named = (set: ImageSet, from: number): ImageSet => ({ ...set, name: (i) => String(from + i) });
    const { length } = parts!.train;
    // As if the first validation images were listed.
    const both = { ...named(parts!.trainval, 0), name: (i: number) => String(i < 10 ? length + i : -i) };
    const names = {
      ...parts!,
      train: named(parts!.train, 0),
      val: named(parts!.val, length),
      trainval: both,
    };
    const of = { ...subject(), data: { ...data, splits: names } };
    const options = { rates: [0.05, 1e9], epochs: [20], batch: 20 };
    const balanced = await evaluateSemi(of, { share: 0.1 }, options);
    expect(balanced.images).toMatchObject({ train: 20, validation: 40 });
    expect(balanced.settings).toMatchObject({ chosen: { rate: 0.05 } });
    const places = [...Array(20).keys()];
    const listed = await evaluateSemi(of, { share: 0.1, places }, options);
    expect(listed.images).toMatchObject({ train: 20, validation: 30 });
    await expect(evaluateSemi(of, { share: 0.9 }, options)).rejects.toThrow(
      /share: 0.9 is not above 0 and at most/,
    );
  });
});

it("images that show several classes are learnt one-vs-rest and judged by mean average precision", async () => {
  const several = (set: ImageSet): ImageSet => {
    const { labels, ...rest } = set;
    const presence = new Int8Array(set.length * classes.length).fill(-1);
    labels!.forEach((label, i) =>
      presence.fill(1, i * classes.length + label, i * classes.length + label + 1),
    );
    return { ...rest, presence };
  };
  const parts = {
    ...{ trainval: several(splits.trainval), test: several(splits.test) },
    ...{ train: several(splits.train), val: several(splits.val) },
  };
  const voc = { ...data, splits: parts };
  const { metrics } = await evaluateTransfer({ ...subject(), data: voc }, { lambdas: [1e-2, 1] });
  expect(metrics.map_11_point!.value).toBeGreaterThan(0.8);
  expect(metrics.top1).toBeUndefined();
  const options = { rates: [0.05, 1e9], steps: [40], batch: 32 };
  const tuned = await evaluateFineTune({ ...subject(), data: voc }, options);
  expect(tuned.metrics.map_11_point!.value).toBeGreaterThan(0.8);
  expect(tuned.settings).toMatchObject({ chosen: { rate: 0.05 } });
  expect(tuned.metrics.top1).toBeUndefined();
  await expect(evaluateKnn({ ...subject(), data: voc })).rejects.toThrow(
    /only transfer and finetune measure those/,
  );
});

describe("refuses", () => {
  it("data without labels, without held-out images, and classes without images", async () => {
    const unlabelled = { ...data, classes: [] };
    await expect(evaluateKnn({ ...subject(), data: unlabelled })).rejects.toThrow(
      /0 classes and 80 held-out/,
    );
    const more = { ...data, classes: [...classes, "unseen"] };
    await expect(evaluateKnn({ ...subject(), data: more })).rejects.toThrow(
      /patterns has no training image of class unseen/,
    );
    const labels = Int32Array.from(data.heldOut.labels!, (l, i) => (i === 7 ? 9 : l));
    const wrong = { ...data, splits: { ...splits, test: { ...heldOut, labels } } };
    await expect(evaluateKnn({ ...subject(), data: wrong })).rejects.toThrow(
      /image 7 of patterns has label 9, there are 4/,
    );
  });

  it("features that are not numbers", async () => {
    const weights = new Map(encoder.weights);
    const conv = weights.get("conv1.weight")!;
    weights.set("conv1.weight", {
      ...conv,
      data: Float32Array.from(conv.data as Float32Array).fill(Number.NaN),
    });
    await expect(evaluateKnn({ ...subject(), encoder: { ...encoder, weights } })).rejects.toThrow(
      /is NaN.*NaN loss/,
    );
  });

  it("files that are no encoder, or one of another architecture", async () => {
    const write = async (name: string, dict: ReadonlyMap<string, HostTensor>) => {
      await writeFile(join(folder, name), encodeStateDict(dict, { preset: "tiny" }));
      return join(folder, name);
    };
    await expect(readEncoder(join(folder, "nowhere"))).rejects.toThrow(/there is no .*nowhere/);
    await expect(readEncoder(folder)).rejects.toThrow(/holds no encoder.safetensors/);
    const vit = await write(
      "vit.safetensors",
      new Map([["patch.weight", { dtype: "float32", shape: [2, 3], data: new Float32Array(6) }]]),
    );
    await expect(readEncoder(vit)).rejects.toThrow(/not a ResNet.*patch\.weight \[2, 3\]/);
    // A block without its second convolution: names and shapes are listed.
    const net = new ResNet({ blocks: [1], baseWidth: 4, stem: "small" }).init(device);
    const dict = new Map([...(await stateDict(net))].filter(([n]) => n !== "layer1.0.conv2.weight"));
    const file = await readEncoder(await write("partial.safetensors", dict));
    await expect(evaluateKnn({ ...subject(), encoder: file })).rejects.toThrow(
      /partial\.safetensors does not fit the ResNet .*missing: layer1\.0\.conv2\.weight \[3, 3, 4, 4\]/s,
    );
    const truncated = join(folder, "truncated.safetensors");
    await writeFile(truncated, (await readFile(vit)).subarray(0, 60));
    await expect(readEncoder(truncated)).rejects.toThrow(/truncated\.safetensors/);
  });
});
