/** Errors of the elementary functions on devices, in units of the last place (ulp) of float32. */
import * as t from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registry } from "@dawnstrap/tensor/extend";
import { erf } from "@dawnstrap/tensor/testing";
import { disagreements } from "./cases.js";
import { deviceNames, open } from "./devices.js";

const spread = (lo: number, hi: number, n = 20_000): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => lo + ((hi - lo) * (i + 0.5 + Math.sin(i) / 2)) / n);

/** Of every size that float32 has, both signs. */
const angles = Float32Array.from([
  ...[...spread(-10_000, 10_000), ...spread(-(2 ** 24), 2 ** 24), 1e10, 3.4028234663852886e38],
  ...spread(-30, 127.9).map((k, i) => (i % 2 ? 1 : -1) * 2 ** k),
]);

/** Name, function, float64 function, points, and the error allowed where arithmetic is rounded correctly. */
const functions: [string, (x: t.Tensor) => t.Tensor, (x: number) => number, Float32Array, number][] = [
  ["exp", t.exp, Math.exp, spread(-87, 88.7), 1.2],
  ["expm1", t.expm1, Math.expm1, spread(-4, 4), 2],
  ["log", t.log, Math.log, spread(1e-3, 8), 1.2],
  ["log1p", t.log1p, Math.log1p, spread(-0.99, 4), 2],
  ["sin", t.sin, Math.sin, angles, 2.5],
  ["cos", t.cos, Math.cos, angles, 2.5],
  ["tanh", t.tanh, Math.tanh, spread(-9, 9), 2.5],
  ["erf", t.erf, erf, spread(-4, 4), 1.5],
  ["sigmoid", t.sigmoid, (x) => 1 / (1 + Math.exp(-x)), spread(-80, 20), 2.5],
  ["sqrt", t.sqrt, Math.sqrt, spread(0, 100), 0.6],
  ["1.1^x", (x) => t.pow(1.1, x), (x) => Math.fround(1.1) ** x, spread(-900, 900), 3],
];

/** WGSL lets a division be off by 2.5 ulp and a square root by more; the CPU rounds both correctly. */
const slack = { cpu: 0, webgpu: 3 };

/** Relative error of a sum of 100,000 positive terms: the CPU adds up blocks. */
const longSums = { cpu: 2e-6, webgpu: 5e-6 };

const ulp = (x: number): number => 2 ** (Math.floor(Math.log2(Math.max(Math.abs(x), 2 ** -126))) - 23);

describe.each(deviceNames)("accuracy on %s", (name) => {
  let device: t.Device;
  beforeAll(async () => {
    device = await open(name);
  });
  afterAll(() => device.destroy());

  it.each(functions)("%s", async (what, f, exact, points, allowed) => {
    const actual = await f(device.tensor(points)).data();
    let worst = { error: 0, at: 0 };
    for (let i = 0; i < points.length; i++) {
      const want = exact(points[i]!);
      const error = Math.abs(actual[i]! - want) / ulp(want);
      if (!(error <= worst.error)) worst = { error, at: points[i]! };
    }
    if (what === "sin" || what === "cos") expect(actual.every((v) => Math.abs(v) <= 1)).toBe(true);
    console.log(`${name}: ${what} is off by up to ${worst.error.toFixed(2)} ulp, at ${worst.at}`);
    expect(worst.error).toBeLessThanOrEqual(allowed + slack[name]);
  });

  it("matmul of 100,000 positive terms", async () => {
    const [rows, terms] = [4, 100_000];
    const [a, b] = [spread(0, 1, rows * terms), spread(1, 2, terms * rows)];
    const got = await t.matmul(device.tensor(a, [rows, terms]), device.tensor(b, [terms, rows])).data();
    for (let i = 0; i < rows * rows; i++) {
      const [r, c] = [Math.floor(i / rows), i % rows];
      let want = 0;
      for (let k = 0; k < terms; k++) want += a[r * terms + k]! * b[k * rows + c]!;
      expect(Math.abs(got[i]! - want) / want).toBeLessThan(longSums[name]);
    }
  });

  it("would notice an op that disagrees with its reference by 1 in 10,000", async () => {
    const exp = registry.get("exp")!;
    const wrong = {
      ...exp,
      reference: (...args: Parameters<typeof exp.reference>) =>
        exp.reference(...args).map((y) => ({ ...y, data: y.data.map((v) => v * 1.0001) })),
    };
    const x = { shape: [3], dtype: "float32" as const, data: Float64Array.of(-1, 0, 1) };
    const lines = await disagreements(device, [{ op: wrong, params: undefined, inputs: [x], fused: false }]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^exp\(float32 \[3\]\).*output 0\[2\]/);
  });
});
