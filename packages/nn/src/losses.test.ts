import { type Device, openDevice } from "@dawnstrap/tensor";
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
