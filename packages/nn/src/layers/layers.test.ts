import { type Device, openDevice, permute, randomKey, ShapeError } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Dropout } from "./dropout.js";
import { BatchNorm, type BatchNormOptions } from "./batch-norm.js";
import { Conv2d } from "./conv.js";
import { Linear } from "./linear.js";
import { Mlp, Sequential } from "./sequential.js";

describe.each(["reference", "cpu", "webgpu"] as const)("on %s", (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(kind);
  });
  afterAll(() => device.destroy());

  describe("BatchNorm", () => {
    const batches = [
      [
        [1, -2],
        [3, 4],
        [8, 1],
      ],
      [
        [0, 0],
        [2, 5],
        [1, 7],
      ],
      [
        [5, 5],
        [5, 6],
        [5, 10],
      ],
    ];
    /** Mean and variance of each batch and channel by the textbook. */
    const moments = batches.map((rows) =>
      [0, 1].map((c) => {
        const column = rows.map((r) => r[c]!);
        const mean = column.reduce((s, x) => s + x, 0) / 3;
        return { mean, variance: column.reduce((s, x) => s + (x - mean) ** 2, 0) / 3 };
      }),
    );
    const train = async (options: BatchNormOptions) => {
      const norm = new BatchNorm(2, options).init(device);
      for (const rows of batches) {
        norm.forward(device.tensor(rows), { train: true });
        await device.flush();
      }
      return {
        norm,
        mean: await norm.runningMean.value.data(),
        variance: await norm.runningVariance.value.data(),
      };
    };
    const expectClose = (got: ArrayLike<number>, want: readonly number[]) => {
      for (const [i, w] of want.entries())
        expect(Math.abs(got[i]! - w)).toBeLessThan(1e-5 * Math.max(1, Math.abs(w)));
    };

    it.each([
      ["biased", 1],
      ["unbiased", 3 / 2],
    ] as const)("keeps exponential averages, %s", async (runningVariance, correction) => {
      const { mean, variance } = await train({ runningVariance, momentum: 0.2 });
      const average = (start: number, of: (m: { mean: number; variance: number }) => number) =>
        [0, 1].map((c) => moments.reduce((a, m) => 0.8 * a + 0.2 * of(m[c]!), start));
      expectClose(
        mean,
        average(0, (m) => m.mean),
      );
      expectClose(
        variance,
        average(1, (m) => correction * m.variance),
      );
    });

    it("keeps averages in which the start does not weigh", async () => {
      const { mean, variance } = await train({ averaging: "debiased" });
      const weights = [0.81, 0.9, 1].map((w) => w / (0.81 + 0.9 + 1));
      const average = (of: (m: { mean: number; variance: number }) => number) =>
        [0, 1].map((c) => moments.reduce((a, m, k) => a + weights[k]! * of(m[c]!), 0));
      expectClose(
        mean,
        average((m) => m.mean),
      );
      expectClose(
        variance,
        average((m) => m.variance),
      );
    });

    it("uses them, and does not move them, in evaluation mode", async () => {
      const { norm, mean, variance } = await train({});
      const [row] = [[4, -3]];
      const y = await norm.forward(device.tensor([row!]), { train: false }).data();
      expectClose(
        y,
        row!.map((x, c) => (x - mean[c]!) / Math.sqrt(variance[c]! + 1e-5)),
      );
      expect(await norm.runningMean.value.data()).toEqual(mean);
    });

    it("takes the statistics of images over all pixels", async () => {
      const flat = batches[0]!;
      const norm = new BatchNorm(2).init(device);
      const a = await norm.forward(device.tensor(flat), { train: true }).data();
      const b = await norm.forward(device.tensor(flat.flat(), [1, 3, 1, 2]), { train: true }).data();
      expectClose(b, [...a]);
    });
  });

  it("Conv2d pads as TensorFlow or as PyTorch", async () => {
    const image = device.tensor(
      Float32Array.from({ length: 16 }, (_, i) => i),
      [1, 4, 4, 1],
    );
    const corner = async (padding: "same" | "torch") => {
      const conv = new Conv2d(1, 1, 3, {
        stride: 2,
        padding,
        bias: false,
        weightInit: (d, s) => d.ones(s),
      }).init(device);
      return [...(await conv.forward(image).data())];
    };
    // SAME starts at row 0 and pads the far side; PyTorch's padding of one starts at row −1.
    expect(await corner("same")).toEqual([45, 39, 66, 50]);
    expect(await corner("torch")).toEqual([10, 24, 51, 90]);
  });

  it("Dropout zeroes a share, keeps the mean, and differs between layers and keys", async () => {
    const net = new Sequential(new Dropout(0.25), new Dropout(0.25)).init(device);
    const x = device.ones([400, 10]);
    const drop = async (layer: number, seed: number) => [
      ...(await net[layer]!.forward(x, { train: true, key: randomKey(device, seed) }).data()),
    ];
    const first = await drop(0, 1);
    const zeros = first.filter((v) => v === 0).length / first.length;
    expect(Math.abs(zeros - 0.25)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / 4000));
    expect(new Set(first)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    expect(await drop(0, 1)).toEqual(first);
    expect(await drop(1, 1)).not.toEqual(first);
    expect(await drop(0, 2)).not.toEqual(first);
    expect(net[0]!.forward(x, { train: false })).toBe(x);
    expect(() => net.forward(x, { train: true })).toThrow(/Dropout: .* give forward a key/);
  });

  it("Mlp is linear, norm, activation, linear", async () => {
    const net = new Mlp([2, 3, 2], { lastBias: false }).init(device, { seed: 3 });
    expect(net.parameters().map((p) => p.name)).toEqual([
      "0.weight",
      "0.bias",
      "1.weight",
      "1.bias",
      "3.weight",
    ]);
    const rows = [
      [1, 2],
      [-1, 0.5],
      [0.25, -2],
    ];
    const [w0, w3] = await Promise.all(
      ["0.weight", "3.weight"].map((n) => net.namedParameters().get(n)!.value.data()),
    );
    const hidden = rows.map((r) => [0, 1, 2].map((j) => r[0]! * w0![j]! + r[1]! * w0![3 + j]!));
    const normed = hidden.map((h) =>
      h.map((v, j) => {
        const column = hidden.map((o) => o[j]!);
        const mean = column.reduce((s, x) => s + x, 0) / 3;
        const variance = column.reduce((s, x) => s + (x - mean) ** 2, 0) / 3;
        return Math.max(0, (v - mean) / Math.sqrt(variance + 1e-5));
      }),
    );
    const want = normed.flatMap((h) => [0, 1].map((k) => h.reduce((s, v, j) => s + v * w3![2 * j + k]!, 0)));
    const got = await net.forward(device.tensor(rows), { train: true }).data();
    want.forEach((w, i) => expect(got[i]).toBeCloseTo(w, 4));
  });
});

describe("a layer refuses", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice("reference");
  });
  afterAll(() => device.destroy());

  it.each([
    ["Conv2d", () => new Conv2d(3, 4, 3)],
    ["BatchNorm", () => new BatchNorm(3)],
    ["Linear", () => new Linear(3, 4)],
  ] as const)(
    "%s, images whose channels stand before their pixels, and says how to turn them",
    (name, make) => {
      const layer = make().init(device);
      const forward = (shape: number[]) => layer.forward(device.zeros(shape), { train: true });
      expect(() => forward([2, 3, 8, 8])).toThrow(ShapeError);
      expect(() => forward([2, 3, 8, 8])).toThrow(
        `${name}: an input of shape [2, 3, 8, 8] has not 3 on its last axis (channels come last here, [batch, height, width, channels]: give permute(x, [0, 2, 3, 1]))`,
      );
      const turned = permute(device.zeros([2, 3, 8, 8]), [0, 2, 3, 1]);
      expect(layer.forward(turned, { train: true }).shape.slice(0, 3)).toEqual([2, 8, 8]);
      expect(() => forward([2, 8, 8, 4])).toThrow(/has not 3 on its last axis$/);
    },
  );

  it("sizes that make none", () => {
    for (const sizes of [[], [3]])
      expect(() => new Mlp(sizes)).toThrow(/^Mlp: sizes \[3?\] name no layer \(give/);
    expect(() => new Linear(3, Number.NaN)).toThrow(/Parameter: \[3, NaN\] is no shape/);
    expect(() => new Conv2d(3, 4, 3, { groups: 2 })).toThrow(/\[3, 3, 1.5, 4\] is no shape/);
  });
});
