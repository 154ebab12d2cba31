/** Map kernels on the adapter at hand, and what only WGSL has. */
import { expr as x } from "@dawnstrap/tensor/extend";
import {
  baseLimits,
  compileWgsl,
  type Expr,
  type Index,
  type MapKernel,
  openWebGpu,
} from "@dawnstrap/tensor/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axesOf, Devices, slot } from "./map-devices.js";
import { folds } from "./map-folds.js";
import { integers } from "./map-integers.js";
import { pointwise } from "./map-pointwise.js";
import { runKernel } from "./run-kernel.js";

let devices: Devices;
beforeAll(async () => {
  devices = new Devices([await openWebGpu()], 6);
});
afterAll(() => devices.close());

pointwise(() => devices, [1, 2, 3, 63, 64, 65, 1000]);
folds(() => devices);
integers(() => devices, 25);

describe("WGSL", () => {
  test("no name of a long kernel is a word of WGSL", async () => {
    const y = slot("int32");
    const [i] = axesOf(2) as [Index];
    let value: Expr = i;
    for (let k = 0; k < 20; k++)
      value = x.fold(2 + (k % 2), [value], (j, [s]) => [x.binary("xor", x.add(s!, j), x.mul(i, j))])[0]!;
    const [r] = await devices.run({
      axes: [i],
      outputs: [{ slot: y, index: i, value, data: new Int32Array(2) }],
    });
    expect(r!.device).toEqual(r!.oracle);
  });

  test("infinities, NaN, negative zero, denormals and the ends of the integers are exact", async () => {
    const [bits, ints] = [slot("uint32"), slot("int32")];
    const values = [Infinity, -Infinity, NaN, -0, 1.5e-42, 3.4028234663852886e38, 0.1, -1e-7, 16777217, 1e21];
    const [i] = axesOf(values.length) as [Index];
    const pick = values.reduce<Expr>((rest, v, k) => x.select(x.eq(i, x.i32(k)), x.f32(v), rest), x.f32(0));
    const ends = x.select(x.lt(i, x.i32(5)), x.i32(-2147483648), x.i32(2147483647));
    const results = await devices.run({
      axes: [i],
      outputs: [
        { slot: bits, index: i, value: x.bitcast(pick, "u32"), data: new Uint32Array(values.length) },
        { slot: ints, index: i, value: ends, data: new Int32Array(values.length) },
      ],
    });
    for (const r of results) expect([...r.device]).toEqual([...r.oracle]);
  });

  test("constants that overflow are computed before WGSL can object", async () => {
    const [u, f] = [slot("uint32"), slot("uint32")];
    const [i] = axesOf(4) as [Index];
    const wrapped = x.mul(x.u32(0xfffffff0), x.u32(0x12345));
    const shifted = x.binary("shl", x.binary("add", wrapped, x.u32(0xffffffff)), x.u32(31));
    const infinite = x.mul(x.f32(3e38), x.f32(3e38));
    const results = await devices.run({
      axes: [i],
      outputs: [
        { slot: u, index: i, value: x.binary("xor", shifted, x.cast(i, "u32")), data: new Uint32Array(4) },
        { slot: f, index: i, value: x.bitcast(infinite, "u32"), data: new Uint32Array(4) },
      ],
    });
    for (const r of results) expect(r.device).toEqual(r.oracle);
  });

  test("more than 65,535 workgroups, and not a rectangle of them", async () => {
    const n = 65_536 * 64 + 64 * 3 + 5;
    const y = slot("int32");
    const [i] = axesOf(n) as [Index];
    const kernel: MapKernel = {
      family: "map",
      axes: [i],
      reads: [],
      outputs: [{ slot: y, index: i, value: x.add(i, x.i32(7)) }],
    };
    expect(compileWgsl(kernel, [], baseLimits).workgroups[1]).toBeGreaterThan(1);
    // As on hardware: a software adapter gets fewer, longer workgroups.
    const wide = await openWebGpu({ kernels: "tiles" });
    const [device] = await runKernel(wide, kernel, [
      { dtype: "int32", access: "write", data: new Int32Array(n) },
    ]);
    await wide.destroy();
    expect(device!.findIndex((v, k) => v !== k + 7)).toBe(-1);
  });

  test("small limits fold the dispatch into three dimensions", () => {
    const y = slot("int32");
    const [i] = axesOf(64 * 1000) as [Index];
    const kernel: MapKernel = {
      family: "map",
      axes: [i],
      reads: [],
      outputs: [{ slot: y, index: i, value: i }],
    };
    const { workgroups } = compileWgsl(kernel, [], { ...baseLimits, maxWorkgroupsPerDimension: 10 });
    expect(workgroups.every((g) => g <= 10)).toBe(true);
    expect(workgroups.reduce((p, g) => p * g, 1)).toBeGreaterThanOrEqual(1000);
  });

  test("the same kernel built twice has the same source", () => {
    const build = (): string => {
      const [a, y] = [slot("float32"), slot("float32")];
      const axes = axesOf(4, 6);
      const at = x.flatten([axes[1]!, axes[0]!], [6, 4]);
      const [sum] = x.fold(3, [x.f32(0)], (k, [s]) => [x.add(s!, x.load(a, x.add(at, k)))]) as [Expr];
      return compileWgsl(
        {
          family: "map",
          axes,
          reads: [a],
          outputs: [{ slot: y, index: x.flatten(axes, [4, 6]), value: sum }],
        },
        [],
        baseLimits,
      ).source;
    };
    expect(build()).toBe(build());
  });
});
