import { type Device, openDevice } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  glorotNormal,
  glorotUniform,
  hashName,
  heNormal,
  heUniform,
  type Initializer,
  truncatedNormal,
} from "./init.js";

let device: Device;
beforeAll(async () => {
  device = await openDevice("cpu");
});
afterAll(() => device.destroy());

// fan-in 9·40 = 360, fan-out 9·60 = 540.
const shape = [3, 3, 40, 60];
const n = 9 * 40 * 60;

describe("initialisers", () => {
  const truncation = 0.87962566103423978;
  it.each<[string, Initializer, number, number]>([
    ["truncatedNormal", truncatedNormal(), truncation / Math.sqrt(360), 2 / Math.sqrt(360)],
    ["heNormal", heNormal(), Math.sqrt(2 / 360), 7 * Math.sqrt(2 / 360)],
    ["heUniform", heUniform(), Math.sqrt(2 / 360), Math.sqrt(6 / 360)],
    ["glorotNormal", glorotNormal(), Math.sqrt(2 / 900), 7 * Math.sqrt(2 / 900)],
    ["glorotUniform", glorotUniform(), Math.sqrt(2 / 900), Math.sqrt(6 / 900)],
  ])("%s has the mean, the spread and the reach that its fan says", async (_, make, std, limit) => {
    const values = [...(await make(device, shape, [1, 2]).data())];
    const mean = values.reduce((s, x) => s + x, 0) / n;
    const spread = Math.sqrt(values.reduce((s, x) => s + x * x, 0) / n - mean * mean);
    // Five standard errors of 21,600 draws (of the spread: at most std·√(2/n) for these distributions).
    expect(Math.abs(mean)).toBeLessThan((5 * std) / Math.sqrt(n));
    expect(Math.abs(spread / std - 1)).toBeLessThan(5 / Math.sqrt(2 * n));
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(limit * (1 + 1e-6));
  });

  it("hash names as FNV-1a does", () => {
    expect([hashName(""), hashName("a"), hashName("foobar")]).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
  });
});
