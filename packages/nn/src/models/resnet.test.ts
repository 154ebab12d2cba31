import { valueAndGrad } from "@dawnstrap/autograd";
import { add, type Device, exp, mean, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resnet, ResNet, torchvisionForm } from "./resnet.js";

let device: Device;
beforeAll(async () => {
  device = await openDevice("cpu");
});
afterAll(() => device.destroy());

const count = (net: ResNet): number =>
  net.parameters().reduce((n, p) => n + p.shape.reduce((s, d) => s * d, 1), 0);

describe("maps of every stage", () => {
  const x = (device: Device, side: number) =>
    device.tensor(
      Float32Array.from({ length: side * side * 3 }, (_, i) => Math.sin(i)),
      [1, side, side, 3],
    );
  const extents = (maps: readonly Tensor[]) => maps.map(({ shape }) => shape[1]);

  it.each([
    [undefined, [16, 8, 4, 2]],
    [32, [16, 8, 4, 2]],
    [16, [16, 8, 4, 4]],
    [8, [16, 8, 8, 8]],
  ] as const)("at output stride %s have extents %j", async (outputStride, wanted) => {
    const device = await openDevice("reference");
    const options = { block: "bottleneck", blocks: [1, 2, 2, 1], baseWidth: 2 } as const;
    const net = new ResNet({ ...options, ...(outputStride && { outputStride }) }).init(device, { seed: 3 });
    const maps = net.stages(x(device, 64), { train: false });
    expect(extents(maps)).toEqual(wanted);
    expect(maps.map(({ shape }) => shape[3])).toEqual([8, 16, 32, 64]);
    const plain = new ResNet(options).init(device, { seed: 3 });
    expect([...net.namedParameters().keys()]).toEqual([...plain.namedParameters().keys()]);
    const last = maps.at(-1)!;
    const pooled = await last.mean([1, 2]).float64();
    const features = await net.features(x(device, 64), { train: false }).float64();
    features.forEach((v, i) => expect(v).toBeCloseTo(pooled[i]!, 12));
    await device.destroy();
  });

  it.each(["basic", "bottleneck"] as const)(
    "dilated, %s blocks: at every second place those of the strided network",
    async (block) => {
      // Where a stride was, windows of twice the dilation read at even places what the strided network's windows read.
      const device = await openDevice("reference");
      const options = { block, blocks: [1, 2, 2, 2], baseWidth: 2, padding: "torch" } as const;
      const strided = new ResNet(options).init(device, { seed: 5 });
      const wide = new ResNet({ ...options, outputStride: 8 }).init(device, { seed: 5 });
      const [a, b] = [strided, wide].map((net) => net.stages(x(device, 64), { train: false }));
      for (const [stage, step] of [
        [1, 1],
        [2, 2],
        [3, 4],
      ] as const) {
        const [few, many] = [a![stage]!, b![stage]!];
        const [want, got, side, channels] = [
          await few.float64(),
          await many.float64(),
          few.shape[1]!,
          few.shape[3]!,
        ];
        for (let y = 0; y < side; y++)
          for (let z = 0; z < side; z++)
            for (let c = 0; c < channels; c++)
              expect(got[(y * step * many.shape[2]! + z * step) * channels + c]).toBeCloseTo(
                want[(y * side + z) * channels + c]!,
                10,
              );
      }
      await device.destroy();
    },
  );
});

describe("parameter counts", () => {
  it.each([
    // torchvision's published counts, with their classifier of 1000 classes.
    [18, 11_689_512],
    [34, 21_797_672],
    [50, 25_557_032],
    [101, 44_549_160],
    [152, 60_192_808],
  ] as const)("torchvision's ResNet-%d has %d", (depth, parameters) => {
    expect(count(resnet(depth, { ...torchvisionForm, classes: 1000 }))).toBe(parameters);
  });
  it("DeepMind's, counted by hand", () => {
    expect(count(resnet(50))).toBe(23_508_032);
    // The projection in the first group of basic blocks.
    expect(count(resnet(18))).toBe(count(resnet(18, torchvisionForm)) + 4096 + 128);
    // BYOL, Table 7's sizes, in millions.
    expect(Math.round(count(resnet(200)) / 1e6)).toBe(63);
    expect(Math.round(count(resnet(50, { width: 2 })) / 1e6)).toBe(94);
  });
});

describe("features", () => {
  const shape = (net: ResNet, size: number) =>
    net.init(device).features(device.zeros([2, size, size, 3]), { train: true }).shape;
  it("have the size of the last group", () => {
    expect(resnet(18).featureSize).toBe(512);
    expect(resnet(50, { width: 2 }).featureSize).toBe(4096);
  });
  it("are pooled from maps that both stems allow", () => {
    const tiny = { blocks: [1, 1, 1, 1], baseWidth: 4 } as const;
    expect(shape(new ResNet({ ...tiny, stem: "small" }), 8)).toEqual([2, 32]);
    expect(shape(new ResNet(tiny), 32)).toEqual([2, 32]);
    expect(shape(new ResNet({ ...tiny, block: "bottleneck", stem: "small", blocks: [1, 2] }), 7)).toEqual([
      2, 32,
    ]);
  });
  it("start as the shortcuts where the last norm starts at zero", async () => {
    const net = new ResNet({ blocks: [1, 1], baseWidth: 4, stem: "small", zeroInitLastNorm: true }).init(
      device,
    );
    const scales = [...net.namedParameters()].filter(([name]) => name.endsWith("bn2.weight"));
    expect(scales.length).toBe(2);
    for (const [, p] of scales) expect([...(await p.value.data())].every((x) => x === 0)).toBe(true);
    expect((await net.bn1.weight.value.data())[0]).toBe(1);
  });
  it("of a batch in evaluation mode are those of its images", async () => {
    const net = new ResNet({ blocks: [1, 1], baseWidth: 4, stem: "small" }).init(device);
    const pixels = Float32Array.from({ length: 2 * 6 * 6 * 3 }, (_, i) => Math.sin(i));
    const both = await net.features(device.tensor(pixels, [2, 6, 6, 3]), { train: false }).data();
    const second = await net
      .features(device.tensor(pixels.slice(108), [1, 6, 6, 3]), { train: false })
      .data();
    second.forEach((v, i) => expect(both[8 + i]).toBeCloseTo(v, 5));
  });
});

describe("options", () => {
  it("that make no net are refused", () => {
    expect(() => resnet(19 as 18)).toThrow(/depth 19 is none of 18, 34, 50/);
    expect(() => new ResNet({ blocks: [] })).toThrow(/blocks \[\]/);
    expect(() => new ResNet({ baseWidth: 1, width: 0.1 })).toThrow(/leaves no channel/);
  });
});

describe.each(["cpu", "reference"] as const)("checkpointing on %s", (kind) => {
  /** Loss, gradients and running statistics of two passes through a net with both kinds of block input. */
  async function results(checkpoint: "stage" | "block" | undefined): Promise<Map<string, number[]>> {
    const on = await openDevice(kind);
    const options = { baseWidth: 4, blocks: [2, 1], classes: 3, checkpoint } as const;
    const net = new ResNet({ ...options, block: "bottleneck" }).init(on);
    const images = [1, 2].map((phase) =>
      on.tensor(
        Float32Array.from({ length: 2 * 16 * 16 * 3 }, (_, i) => Math.sin(0.7 * i + phase)),
        [2, 16, 16, 3],
      ),
    );
    const { value, grads } = valueAndGrad(() =>
      images.map((x) => mean(exp(net.forward(x, { train: true })))).reduce((a, b) => add(a, b)),
    )(...net.arena.values());
    const all = new Map<string, Tensor>([["loss", value]]);
    net.parameters().forEach((p, i) => all.set(p.name, grads[i]!));
    for (const b of net.buffers()) all.set(b.name, b.value);
    await on.realize([...all.values()]);
    const read = new Map<string, number[]>();
    for (const [name, t] of all) read.set(name, [...(await t.float64())]);
    await on.destroy();
    return read;
  }

  it("changes no bit of loss, gradients and running averages", async () => {
    const plain = await results(undefined);
    expect(plain.get("layer2.0.conv2.weight")!.some((g) => g !== 0)).toBe(true);
    expect(plain.get("layer1.1.bn2.runningMean")!.some((m) => m !== 0)).toBe(true);
    expect(await results("stage")).toEqual(plain);
    expect(await results("block")).toEqual(plain);
  });
});
