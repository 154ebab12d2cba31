import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BatchNorm } from "../layers/batch-norm.js";
import { Linear } from "../layers/linear.js";
import { Mlp, Sequential } from "../layers/sequential.js";
import { Buffer, Module } from "../module.js";
import { ResNet, torchvisionForm } from "../models/resnet.js";
import { readStateDict, saveStateDict } from "./files.js";
import { copyState, loadStateDict, type StateDict, stateDict } from "./state-dict.js";

let device: Device;
let folder: string;
beforeAll(async () => {
  device = await openDevice("cpu");
  folder = await mkdtemp(join(tmpdir(), "dawnstrap-"));
});
afterAll(async () => {
  await device.destroy();
  await rm(folder, { recursive: true });
});

const tiny = (seed: number) =>
  new ResNet({ ...torchvisionForm, blocks: [1, 1], baseWidth: 4, stem: "small", classes: 3 }).init(device, {
    seed,
  });
const images = (): Tensor =>
  device.tensor(
    Float32Array.from({ length: 2 * 36 * 3 }, (_, i) => Math.sin(i)),
    [2, 6, 6, 3],
  );

async function logits(net: ResNet): Promise<number[]> {
  return [...(await net.forward(images(), { train: false }).data())];
}

describe.each(["native", "pytorch"] as const)("a %s state dict", (layout) => {
  it("carries a trained module through a file", async () => {
    const [from, to] = [tiny(1), tiny(2)];
    from.forward(images(), { train: true });
    await device.flush();
    const path = join(folder, `${layout}.safetensors`);
    await saveStateDict(path, await stateDict(from, { layout }), { seed: "1" });
    const { dict, metadata } = await readStateDict(path);
    expect(metadata).toEqual({ seed: "1" });
    expect(await logits(to)).not.toEqual(await logits(from));
    expect(loadStateDict(to, dict, { layout })).toEqual({ missing: [], unexpected: [] });
    expect(await logits(to)).toEqual(await logits(from));
    expect((await readdir(folder)).filter((f) => f.endsWith(".partial"))).toEqual([]);
  });

  it("keeps the state of debiased averages", async () => {
    const norm = () => new BatchNorm(2, { averaging: "debiased" }).init(device);
    const [from, to] = [norm(), norm()];
    for (let k = 0; k < 3; k++)
      from.forward(
        device.tensor([
          [k, 1],
          [2, 5 * k],
        ]),
        { train: true },
      );
    await device.flush();
    const dict = await stateDict(from, { layout });
    if (layout === "pytorch") expect(dict.get("num_batches_tracked")!.data).toEqual(BigInt64Array.of(3n));
    loadStateDict(to, dict, { layout });
    for (const net of [from, to])
      net.forward(
        device.tensor([
          [7, 8],
          [9, 3],
        ]),
        { train: true },
      );
    const [a, b] = [await from.runningVariance.value.data(), await to.runningVariance.value.data()];
    a.forEach((v, i) => expect(b[i]).toBeCloseTo(v, 5));
  });
});

describe("PyTorch's layout", () => {
  it("has torchvision's names and shapes", async () => {
    const dict = await stateDict(tiny(1), { layout: "pytorch" });
    expect([...dict].map(([name, { shape }]) => `${name} ${shape.join("x")}`).slice(0, 8)).toEqual([
      "conv1.weight 4x3x3x3",
      "bn1.weight 4",
      "bn1.bias 4",
      "bn1.running_mean 4",
      "bn1.running_var 4",
      "bn1.num_batches_tracked ",
      "layer1.0.conv1.weight 4x4x3x3",
      "layer1.0.bn1.weight 4",
    ]);
    expect([...dict.keys()].slice(-2)).toEqual(["fc.weight", "fc.bias"]);
    expect(dict.get("layer2.0.downsample.0.weight")!.shape).toEqual([8, 4, 1, 1]);
  });
  it("transposes linear weights and turns convolutions round", async () => {
    const linear = new Linear(2, 3).init(device);
    linear.weight.assign(
      device.tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    );
    const { data, shape } = (await stateDict(linear, { layout: "pytorch" })).get("weight")!;
    expect([shape, [...(data as Float32Array)]]).toEqual([
      [3, 2],
      [1, 4, 2, 5, 3, 6],
    ]);

    const net = tiny(1);
    const [ours, theirs] = [await stateDict(net), await stateDict(net, { layout: "pytorch" })];
    const name = "layer2.0.conv1.weight"; // [3, 3, 4, 8] against [8, 4, 3, 3]
    const at = (o: number, i: number, y: number, x: number) =>
      [
        ours.get(name)!.data[((y * 3 + x) * 4 + i) * 8 + o],
        theirs.get(name)!.data[((o * 4 + i) * 3 + y) * 3 + x],
      ] as const;
    for (const [o, i, y, x] of [
      [0, 0, 0, 0],
      [7, 3, 2, 1],
      [5, 1, 0, 2],
    ] as const)
      expect(at(o, i, y, x)[0]).toBe(at(o, i, y, x)[1]);
  });
  it("does without the batch counters, which older files lack", async () => {
    const dict = await stateDict(tiny(1), { layout: "pytorch" });
    for (const name of [...dict.keys()]) if (name.endsWith("num_batches_tracked")) dict.delete(name);
    expect(loadStateDict(tiny(2), dict, { layout: "pytorch" }).missing).toEqual([]);
  });
});

describe("loadStateDict", () => {
  const pair = async (): Promise<[Sequential, StateDict]> => {
    const net = new Sequential(new Linear(2, 3), new Linear(3, 1)).init(device);
    return [net, new Map(await stateDict(net))];
  };
  it("names everything that does not fit, at once, and changes nothing", async () => {
    const [net, dict] = await pair();
    const before = await stateDict(net);
    const wrong: StateDict = new Map(dict);
    wrong.delete("0.bias");
    wrong.delete("1.bias");
    wrong.set("head.weight", dict.get("0.weight")!);
    wrong.set("0.weight", { ...dict.get("0.weight")!, shape: [3, 2] });
    expect(() => loadStateDict(net, wrong)).toThrow(
      /missing: 0.bias \[3\], 1.bias \[1\]\n +unexpected: head.weight \[2, 3\]\n +wrong shape: 0.weight is \[3, 2\], the module has \[2, 3\]/,
    );
    expect(await stateDict(net)).toEqual(before);
  });
  it("takes what fits where it is not strict, and says what was left", async () => {
    const [net, dict] = await pair();
    const part: StateDict = new Map([
      ["0.bias", { dtype: "float32", shape: [3], data: Float32Array.of(7, 8, 9) }],
      ["x", dict.get("0.bias")!],
    ]);
    const report = loadStateDict(net, part, { strict: false });
    expect(report).toEqual({ missing: ["0.weight", "1.weight", "1.bias"], unexpected: ["x"] });
    const after = await stateDict(net);
    expect([...(after.get("0.bias")!.data as Float32Array)]).toEqual([7, 8, 9]);
    expect(after.get("0.weight")).toEqual(dict.get("0.weight"));
  });
  it("refuses other dtypes", async () => {
    const [net, dict] = await pair();
    dict.set("0.bias", { dtype: "int32", shape: [3], data: Int32Array.of(1, 2, 3) });
    expect(() => loadStateDict(net, dict)).toThrow(/0.bias is int32, float32 is wanted/);
  });
  it("brings a buffer of any dtype back from a file", async () => {
    class Counted extends Module {
      readonly steps = new Buffer([1], 7, "int32");
      readonly key = new Buffer([2], 3_000_000_000, "uint32");
      readonly bytes = new Buffer([3], 200, "uint8");
      readonly seen = new Buffer([2], 1, "bool");
      readonly share = new Buffer([1], 0.5);
    }
    const path = join(folder, "counted.safetensors");
    await saveStateDict(path, await stateDict(new Counted().init(device)));
    const other = new Counted().init(device);
    for (const buffer of other.buffers()) buffer.assign(device.zeros(buffer.shape, buffer.dtype));
    loadStateDict(other, (await readStateDict(path)).dict);
    const values = await Promise.all(
      other.buffers().map(async ({ value }) => [value.dtype, ...(await value.data())]),
    );
    expect(values).toEqual([
      ["int32", 7],
      ["uint32", 3_000_000_000, 3_000_000_000],
      ["uint8", 200, 200, 200],
      ["bool", 1, 1],
      ["float32", 0.5],
    ]);
    const wrong = new Map([["steps", { dtype: "float32" as const, shape: [1], data: Float32Array.of(1) }]]);
    expect(() => loadStateDict(other, wrong, { strict: false })).toThrow(/steps is float32, int32 is wanted/);
  });
  it("loads a part of a module that was initialised as a whole", async () => {
    const [whole, dict] = await pair();
    const encoder = whole[0]!;
    expect([...(await stateDict(encoder)).keys()]).toEqual(["weight", "bias"]);
    loadStateDict(
      encoder,
      new Map([
        ["weight", dict.get("0.weight")!],
        ["bias", { dtype: "float32", shape: [3], data: Float32Array.of(1, 1, 1) }],
      ]),
    );
    expect([...((await stateDict(whole)).get("0.bias")!.data as Float32Array)]).toEqual([1, 1, 1]);
  });
});

describe("files", () => {
  it("that are not sound are named", async () => {
    const path = join(folder, "cut.safetensors");
    await writeFile(path, Uint8Array.of(1, 2, 3));
    await expect(readStateDict(path)).rejects.toThrow(/cut.safetensors: safetensors: the file has 3 bytes/);
  });
});

describe("copyState", () => {
  it("makes two modules equal, on the device", async () => {
    const [from, to] = [tiny(1), tiny(2)];
    from.forward(images(), { train: true });
    copyState(from, to);
    await device.flush();
    expect(await stateDict(to)).toEqual(await stateDict(from));
    // And apart: a later change of one does not reach the other.
    from.conv1.weight.assign(device.zeros([3, 3, 3, 4]));
    expect((await to.conv1.weight.value.data()).some((x) => x !== 0)).toBe(true);
  });
  it("wants them built alike", () => {
    expect(() => copyState(new Mlp([2, 2, 2]).init(device), new Mlp([2, 3, 2]).init(device))).toThrow(
      /differ in their parameters/,
    );
  });
});
