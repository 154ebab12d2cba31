import { grad } from "@dawnstrap/autograd";
import { type Device, openDevice } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { regression, spread } from "./loss.js";
import { Stream } from "../images/streams.js";

let device: Device;
beforeAll(async () => {
  device = await openDevice("cpu");
});
afterAll(() => device.destroy());

describe("regression", () => {
  const r = (a: number[], b: number[]) => regression(device.tensor([a]), device.tensor([b])).item();
  it("is 2 − 2·cos", async () => {
    expect(await r([3, 4], [4, 3])).toBeCloseTo(0.08, 6);
    expect(await r([1, 0], [0, 1])).toBeCloseTo(2, 6);
    expect(await r([1, 2], [-2, -4])).toBeCloseTo(4, 6);
    expect(await r([1, 2], [3, 6])).toBeCloseTo(0, 6);
  });
  it("guards the norm inside the root", async () => {
    expect(await r([0, 0], [1, 0])).toBeCloseTo(1, 6);
    expect(await r([1e-7, 0], [1, 0])).toBeCloseTo(0.81, 6);
  });
  it("does not see the length of either side", async () => {
    expect(await r([3, -1, 2], [0.5, 2, 1])).toBeCloseTo(await r([300, -100, 200], [0.05, 0.2, 0.1]), 6);
  });
  it("averages over the batch", async () => {
    const value = await regression(
      device.tensor([
        [1, 0],
        [1, 0],
      ]),
      device.tensor([
        [0, 1],
        [1, 0],
      ]),
    ).item();
    expect(value).toBeCloseTo(1, 6);
  });
  it("has a gradient at right angles to the prediction", async () => {
    const a = device.tensor([[3, -1, 2]]);
    const [g] = grad((x) => regression(x, device.tensor([[0.5, 2, 1]])))(a);
    const [x, dx] = [await a.data(), await g!.data()];
    expect(x[0]! * dx[0]! + x[1]! * dx[1]! + x[2]! * dx[2]!).toBeCloseTo(0, 6);
    expect(Math.abs(dx[0]!)).toBeGreaterThan(1e-3);
  });
});

describe("spread", () => {
  it("is 0 where all rows agree, and 1/√width where they point everywhere", async () => {
    expect(await spread(device.full([8, 5], 3)).item()).toBeLessThan(1e-3);
    const stream = new Stream(1, "subset");
    const normal = () =>
      Math.sqrt(-2 * Math.log(1 - stream.uniform())) * Math.cos(2 * Math.PI * stream.uniform());
    const rows = device.tensor(Float32Array.from({ length: 512 * 64 }, normal), [512, 64]);
    expect(await spread(rows).item()).toBeCloseTo(1 / 8, 2);
  });
});
