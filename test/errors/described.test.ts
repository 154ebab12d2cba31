/** What a console, JSON, a template and an operator get of tensors and of what holds them. */
import { inspect } from "node:util";
import { Linear } from "@dawnstrap/nn";
import { add, DawnstrapError, type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: Device;
let x: Tensor;
beforeAll(async () => {
  device = await openDevice("cpu");
  x = device.tensor(new Float32Array(1_000_000), [1000, 1000]);
});
afterAll(() => device.destroy());

it("a tensor is one line in a console, a few fields in JSON", async () => {
  const pending = add(x, 1);
  for (const tensor of [x, pending]) {
    expect(inspect(tensor)).toBe("Tensor(float32 [1000, 1000] on cpu)");
    expect(`${tensor}`).toBe("Tensor(float32 [1000, 1000] on cpu)");
    expect(JSON.parse(JSON.stringify({ tensor }))).toEqual({
      tensor: { dtype: "float32", shape: [1000, 1000], device: "cpu" },
    });
  }
});

it("variables, devices, parameters and modules are as short", async () => {
  const variable = device.variable(x, "memory");
  expect(inspect(variable)).toBe("Variable(memory, float32 [1000, 1000] on cpu)");
  expect(JSON.parse(JSON.stringify(variable))).toMatchObject({ name: "memory", shape: [1000, 1000] });
  expect(inspect(device)).toMatch(/^Device\(cpu: .*\)$/);
  expect(JSON.parse(JSON.stringify(device))).toMatchObject({ kind: "cpu" });
  const layer = new Linear(300, 200);
  expect(inspect(layer.weight)).toMatch(/^Parameter\(/);
  await layer.init(device);
  expect(inspect(layer.weight)).toBe("Parameter(weight, [300, 200])");
  expect(inspect(layer)).toBe("Linear(2 parameters, 60200 elements)");
  expect(JSON.stringify(layer).length).toBeLessThan(200);
});

describe("operators", () => {
  const uses: Readonly<Record<string, (t: never) => unknown>> = {
    "x * 2": (t) => (t as number) * 2,
    "x + 1": (t) => (t as number) + 1,
    "-x": (t) => -(t as number),
    "x > 0": (t) => (t as number) > 0,
    "Math.sqrt(x)": (t) => Math.sqrt(t),
    "device.tensor([x])": (t) => device.tensor([t]),
  };
  it.each(Object.entries(uses))("%s throws, and names what to use", (_, use) => {
    expect(() => use(x as never)).toThrow(DawnstrapError);
    expect(() => use(x as never)).toThrow(
      /Tensor\(float32 \[1000, 1000\] on cpu\) is not a number.*x\.mul\(2\)/,
    );
  });
  it("of variables and parameters, too", async () => {
    const layer = new Linear(2, 2);
    expect(() => (layer.weight as never as number) * 2).toThrow(DawnstrapError);
    expect(() => (device.variable(x) as never as number) * 2).toThrow(DawnstrapError);
  });
});
