/** What NaN and infinities give, on every device as in Python. */
import * as t from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deviceNames, open } from "./devices.js";

const [up, down, nan] = [Infinity, -Infinity, Number.NaN];

describe.each([...deviceNames, "reference"] as const)("on %s", (name) => {
  let device: t.Device;
  beforeAll(async () => {
    device = await open(name);
  });
  afterAll(() => device.destroy());
  const list = async (x: t.Tensor): Promise<number[]> => Array.from(await x.data());

  it("a finite number mod ±∞ is itself where the signs agree, else the divisor", async () => {
    const [a, b] = [
      device.tensor([5, -5, 5, -5, 0, up, 1]),
      device.tensor([up, up, down, down, down, 2, nan]),
    ];
    expect(await list(t.mod(a, b))).toEqual([5, up, down, -5, 0, nan, nan]);
  });

  it("NaN cast to bool is true, and zeros are false", async () => {
    expect(await list(t.cast(device.tensor([nan, 0, -0, 1e-30, up]), "bool"))).toEqual([1, 0, 0, 1, 1]);
  });

  it.each([3, 1000])("softmax of %i elements with +∞ is NaN, with −∞ alone too", async (length) => {
    const row = (last: number, others: number): number[] => [...Array(length - 1).fill(others), last];
    const x = device.tensor([...row(up, 0), ...row(down, down), ...row(0, down)], [3, length]);
    for (const [f, one, none] of [
      [t.softmax, 1, 0],
      [t.logSoftmax, 0, down],
    ] as const)
      expect(await list(f(x))).toEqual([...Array(2 * length).fill(nan), ...row(one, none)]);
  });

  it("logSumExp of an infinite maximum is it", async () => {
    const x = device.tensor([up, 0, down, down], [2, 2]);
    expect(await list(t.logSumExp(x, 1))).toEqual([up, down]);
  });
});
