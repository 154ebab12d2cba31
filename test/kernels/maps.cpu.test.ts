/** Map kernels on the cpu device: private memory on one thread, and shared memory on three. */
import { expr as x } from "@dawnstrap/tensor/extend";
import { compileWasm, type Expr, type MapKernel, openCpu } from "@dawnstrap/tensor/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { axesOf, Devices, slot } from "./map-devices.js";
import { folds } from "./map-folds.js";
import { integers } from "./map-integers.js";
import { edges, pointwise } from "./map-pointwise.js";

let devices: Devices;
beforeAll(async () => {
  devices = new Devices([await openCpu({ threads: 1, shared: false }), await openCpu({ threads: 3 })]);
});
afterAll(() => devices.close());

pointwise(() => devices, [1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 1000, 16384, 16387]);
edges(() => devices);
folds(() => devices);
integers(() => devices, 150);

test("the same kernel built twice is the same module", () => {
  const build = (): Uint8Array => {
    const [a, y] = [slot("float32"), slot("float32")];
    const axes = axesOf(4, 6);
    const at = x.flatten([axes[1]!, axes[0]!], [6, 4]);
    const [sum] = x.fold(3, [x.f32(0)], (k, [s]) => [x.add(s!, x.load(a, x.add(at, k)))]) as [Expr];
    const kernel: MapKernel = {
      family: "map",
      axes,
      reads: [a],
      outputs: [{ slot: y, index: x.flatten(axes, [4, 6]), value: sum }],
    };
    const binding = { dtype: "float32", access: "read", bytes: 104 } as const;
    return compileWasm(kernel, [binding, binding], { shared: false }).bytes;
  };
  expect(build()).toEqual(build());
});
