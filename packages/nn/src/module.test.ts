import { type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BatchNorm } from "./layers/batch-norm.js";
import { Linear } from "./layers/linear.js";
import { Mlp, Sequential } from "./layers/sequential.js";
import { type ForwardOptions, Layer, type Module } from "./module.js";

let device: Device;
beforeAll(async () => {
  device = await openDevice("reference");
});
afterAll(() => device.destroy());

class Pair extends Layer {
  readonly encoder: Layer;
  readonly heads = [new Linear(3, 2), new Linear(3, 4, { bias: false })];
  readonly again: Layer;
  constructor(encoder: Layer) {
    super();
    this.encoder = encoder;
    this.again = encoder;
  }
  forward(x: Tensor, options: ForwardOptions): Tensor {
    return this.heads[0]!.forward(this.encoder.forward(x, options));
  }
}

describe("names", () => {
  it("are the paths to parameters and buffers, a shared module counting once", () => {
    const pair = new Pair(new Mlp([5, 6, 3])).init(device);
    expect(pair.parameters().map((p) => `${p.name} ${p.kind} [${p.shape}]`)).toEqual([
      "encoder.0.weight weight [5,6]",
      "encoder.0.bias bias [6]",
      "encoder.1.weight norm [6]",
      "encoder.1.bias norm [6]",
      "encoder.3.weight weight [6,3]",
      "encoder.3.bias bias [3]",
      "heads.0.weight weight [3,2]",
      "heads.0.bias bias [2]",
      "heads.1.weight weight [3,4]",
    ]);
    expect(pair.buffers().map((b) => b.name)).toEqual(["encoder.1.runningMean", "encoder.1.runningVariance"]);
    expect([...pair.encoder.namedParameters().keys()][0]).toBe("0.weight");
  });
  it("of debiased norms include the start's weight", () => {
    const norm = new BatchNorm(2, { averaging: "debiased" });
    expect([...norm.namedBuffers().keys()]).toEqual(["runningMean", "runningVariance", "startWeight"]);
  });
});

describe("init", () => {
  const values = async (module: Module, name: string) => [
    ...(await module.namedParameters().get(name)!.value.data()),
  ];

  it("is a function of the seed and the name alone", async () => {
    const small = new Sequential(new Linear(4, 3)).init(device, { seed: 7 });
    const large = new Sequential(new Linear(4, 3), new Linear(3, 3)).init(device, { seed: 7 });
    expect(await values(large, "0.weight")).toEqual(await values(small, "0.weight"));
    expect((await values(large, "1.weight")).slice(0, 9)).not.toEqual(
      (await values(large, "0.weight")).slice(0, 9),
    );
    const other = new Sequential(new Linear(4, 3)).init(device, { seed: 8 });
    expect(await values(other, "0.weight")).not.toEqual(await values(small, "0.weight"));
  });
  it("happens once, on the outermost module", () => {
    const layer = new Linear(2, 2);
    expect(() => layer.forward(device.zeros([1, 2]))).toThrow(/no value yet; first call init/);
    layer.init(device);
    expect(() => layer.init(device)).toThrow(/init: weight has a value already/);
    expect(() => new Sequential(layer).init(device)).toThrow(/init: 0.weight has a value already/);
  });
  it("gives the whole module an arena, its parts none", () => {
    const whole = new Mlp([2, 3, 1]).init(device);
    expect(whole.arena.parameters).toEqual(whole.parameters());
    expect(() => whole[0]!.arena).toThrow(/do not fill one arena \(it holds 6, the module has 2\)/);
  });
});

describe("parameters", () => {
  it("keep one handle until they change, and live in the arena", async () => {
    const layer = new Linear(2, 1).init(device);
    const before = layer.weight.value;
    expect(layer.weight.value).toBe(before);
    layer.weight.assign(device.tensor([[5], [6]]));
    expect(layer.weight.value).not.toBe(before);
    expect([...(await layer.arena.flat.value.data())].slice(0, 3)).toEqual([5, 6, 0]);
    expect([...(await layer.bias!.value.data())]).toEqual([0]);
  });
  it("refuse values of another shape", () => {
    const layer = new Linear(2, 1).init(device);
    expect(() => layer.weight.assign(device.zeros([1, 2]))).toThrow(
      /weight has shape \[2, 1\], the tensor for it \[1, 2\]/,
    );
  });
  it("read on their own are not stale afterwards", async () => {
    const layer = new Linear(1, 1, { bias: false }).init(device);
    const read = device.capture((x: Tensor) => layer.forward(x));
    layer.weight.assign(device.tensor([[2]]));
    await layer.weight.value.data();
    const x = device.tensor([[1]]);
    expect(await (await read(x)).item()).toBe(2);
    layer.weight.assign(device.tensor([[3]]));
    expect(await (await read(x)).item()).toBe(3);
  });
});
