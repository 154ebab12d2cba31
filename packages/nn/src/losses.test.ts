import { valueAndGrad } from "@dawnstrap/autograd";
import { add, type Device, openDevice, sub, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crossEntropy, meanSquaredError, topKAccuracy } from "./losses.js";

let device: Device;
beforeAll(async () => {
  device = await openDevice("cpu");
});
afterAll(() => device.destroy());

const labels = (...values: number[]) => device.tensor(Int32Array.from(values));

describe("losses", () => {
  it("cross-entropy is the mean of −log softmax at the label", async () => {
    const rows = [
      [1, 2, 3],
      [0, 0, 0],
      [1000, 0, -1000],
    ];
    const want = [Math.log(Math.exp(-2) + Math.exp(-1) + 1) + 2, Math.log(3), 1000];
    const loss = await crossEntropy(device.tensor(rows), labels(0, 1, 1)).item();
    expect(loss).toBeCloseTo((want[0]! + want[1]! + want[2]!) / 3, 3);
  });
  it("cross-entropy names a label that is no class, where it is known", () => {
    const logits = device.zeros([2, 3]);
    expect(() => crossEntropy(logits, labels(0, 3))).toThrow(/label 3 at position 1 .* 3 classes/);
    expect(() => crossEntropy(logits, labels(-1, 0))).toThrow(/ignoreIndex: -1/);
    expect(() => crossEntropy(logits, labels(-1, 7), { ignoreIndex: -1 })).toThrow(/label 7/);
    expect(() => crossEntropy(logits, device.tensor(Uint8Array.of(0, 200)))).toThrow(/label 200/);
    expect(() => crossEntropy(logits, device.tensor(Uint32Array.of(2 ** 32 - 1, 0)))).toThrow(
      /label 4294967295/,
    );
    expect(() => crossEntropy(logits, device.full([2], 5, "int32"))).toThrow(/label 5/);
    expect(() => crossEntropy(logits, labels(0, 0), { ignoreIndex: 0.5 })).toThrow(/ignoreIndex 0.5/);
    expect(() => crossEntropy(logits, logits, { ignoreIndex: 0 })).toThrow(/probabilities/);
    expect(() => topKAccuracy(logits, labels(0, 3))).toThrow(/topKAccuracy: label 3/);
    expect(() => topKAccuracy(logits, labels(0))).toThrow(/\[2, 3\] and labels \[1\]/);
  });
  it.each(["cpu", "reference"] as const)(
    "labels that the %s computes are NaN beyond the classes",
    async (kind) => {
      const own = await openDevice(kind);
      const x = own.tensor([
        [1, 2, 3],
        [3, 1, 2],
      ]);
      const of = add(own.tensor(Int32Array.of(0, 2)), 1);
      const { value, grads } = valueAndGrad((z: Tensor) => crossEntropy(z, of))(x);
      expect(await value.item()).toBeNaN();
      const rows = await grads[0]!.data();
      expect(rows.slice(0, 3).every(Number.isFinite)).toBe(true);
      expect(rows.slice(3)).toEqual(Float32Array.of(NaN, NaN, NaN));
      expect(await topKAccuracy(x, sub(of, 1), 3).item()).toBe(1);
      expect(await topKAccuracy(x, of, 3).item()).toBe(0.5);
      await own.destroy();
    },
  );
  it("the mean divides by the examples that count", async () => {
    const x = device.tensor([
      [1, 2, 3],
      [NaN, Infinity, 0],
      [3, 1, 2],
    ]);
    const ignore = { ignoreIndex: -100 };
    const { value, grads } = valueAndGrad((z: Tensor) => crossEntropy(z, labels(2, -100, 0), ignore))(x);
    const one = Math.log(Math.exp(-2) + Math.exp(-1) + 1);
    expect(await value.item()).toBeCloseTo(one, 6);
    const rows = await grads[0]!.data();
    expect(rows[2]).toBeCloseTo((Math.exp(-one) - 1) / 2, 6);
    expect([...rows.slice(3, 6)]).toEqual([0, 0, 0]);
    expect(await crossEntropy(x, labels(-100, -100, -100), ignore).item()).toBe(0);
    expect(await topKAccuracy(x, labels(2, -100, 1), 1, ignore).item()).toBe(0.5);
  });
  it("mean squared error wants equal shapes", () => {
    const [column, row] = [device.zeros([4, 1]), device.zeros([4])];
    expect(() => meanSquaredError(column, row)).toThrow(/\[4, 1\] and \[4\] differ/);
    expect(() => meanSquaredError(row, device.zeros([1]))).toThrow(/differ/);
  });
  it("mean squared error averages over all elements", async () => {
    expect(await meanSquaredError(device.tensor([[1, 2]]), device.tensor([[4, 2]])).item()).toBe(4.5);
  });
});

describe("topKAccuracy", () => {
  const rows = [
    [0.1, 0.9, 0.5],
    [3, 2, 1],
    [0, 0, 0],
  ];
  it.each([
    [1, [1, 1, 0], 1 / 3],
    [2, [2, 1, 1], 1],
    [1, [0, 1, 2], 1 / 3],
    [3, [0, 2, 0], 1],
  ])("top %d of %j is %d", async (k, of, want) => {
    expect(await topKAccuracy(device.tensor(rows), labels(...of), k).item()).toBeCloseTo(want, 6);
  });
  it("of constant logits predicts the last class", async () => {
    const flat = device.zeros([3, 3]);
    expect(await topKAccuracy(flat, labels(2, 2, 2)).item()).toBe(1);
    expect(await topKAccuracy(flat, labels(0, 1, 1)).item()).toBe(0);
    expect(() => topKAccuracy(flat, labels(0, 1, 1), 0)).toThrow(/k is 0/);
  });
});
