/** Derivatives at the points that random tests keep away from: ties, kinks, zeros. */
import { grad } from "@dawnstrap/autograd";
import * as t from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deviceNames, open } from "../conformance/devices.js";

describe.each(["reference", ...deviceNames] as const)("derivatives at special points on %s", (name) => {
  let d: t.Device;
  beforeAll(async () => {
    d = await open(name);
  });
  afterAll(() => d.destroy());

  const at = async (f: (x: t.Tensor) => t.Tensor, values: number[]): Promise<number[]> => {
    const [g] = grad((x) => t.sum(f(x)))(d.tensor(values));
    return Array.from(await g!.float64(), (v) => v + 0);
  };

  it("max and min share the gradient among equals", async () => {
    expect(await at(t.max, [1, 3, 3, 2])).toEqual([0, 0.5, 0.5, 0]);
    expect(await at(t.min, [1, 3, 1, 1])).toEqual(
      [1 / 3, 0, 1 / 3, 1 / 3].map((v) => (name === "reference" ? v : Math.fround(v))),
    );
  });

  it("maximum and minimum share it between equal operands", async () => {
    expect(await at((x) => t.maximum(x, d.tensor([1, 2, 3])), [2, 2, 2])).toEqual([1, 0.5, 0]);
    expect(await at((x) => t.minimum(x, d.tensor([1, 2, 3])), [2, 2, 2])).toEqual([0, 0.5, 1]);
    expect(await at((x) => t.maximum(x, x), [1, 2])).toEqual([1, 1]);
  });

  it("the product knows about zeros", async () => {
    expect(await at(t.prod, [2, 3, 4])).toEqual([12, 8, 6]);
    expect(await at(t.prod, [2, 0, 4])).toEqual([0, 8, 0]);
    expect(await at(t.prod, [0, 0, 4])).toEqual([0, 0, 0]);
  });

  it("kinks take the documented side", async () => {
    expect(await at(t.relu, [-1, 0, 1])).toEqual([0, 0, 1]);
    expect(await at(t.abs, [-1, 0, 1])).toEqual([-1, 0, 1]);
    expect(await at((x) => t.clip(x, -1, 1), [-2, -1, 0, 1, 2])).toEqual([0, 1, 1, 1, 0]);
  });

  it("powers at 0 have no NaN where the derivative exists", async () => {
    expect(await at((x) => t.pow(x, d.tensor([0, 2, 1])), [0, 0, 0])).toEqual([0, 0, 1]);
    expect(await at((b) => t.pow(d.tensor([0, 1]), b), [2, 2])).toEqual([0, 0]);
  });

  it("a large softmax keeps its gradient finite", async () => {
    const g = await at((x) => t.mul(t.logSoftmax(x), d.tensor([1, 0])), [1000, -1000]);
    expect(g).toEqual([0, 0]);
  });
});
