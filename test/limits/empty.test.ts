/** Tensors without elements through every family: the right shape, and 0, −∞ … where a reduction of nothing has a value. */
import * as t from "@dawnstrap/tensor";
import { type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

type Shape = readonly number[];
type Case = readonly [name: string, shape: Shape, make: (device: Device) => Tensor, value?: number];

const count = (shape: Shape): number => shape.reduce((n, d) => n * d, 1);
const e = (device: Device, ...shape: number[]): Tensor => device.tensor(new Float32Array(0), shape);
const full = (device: Device, shape: Shape, value = 1): Tensor =>
  device.tensor(new Float32Array(count(shape)).fill(value), shape);

const cases: readonly Case[] = [
  ["a leaf", [0], (d) => e(d, 0)],
  ["zeros", [2, 0], (d) => d.zeros([2, 0])],
  ["arange", [0], (d) => d.arange(0)],
  ["add, a scalar beside", [3, 0], (d) => t.add(e(d, 3, 0), 1)],
  ["mul, broadcast", [3, 0], (d) => t.mul(e(d, 1, 0), full(d, [3, 1]))],
  ["a chain", [0], (d) => t.relu(t.exp(t.mul(e(d, 0), 2)))],
  ["cast", [0], (d) => t.cast(e(d, 0), "int32")],
  ["to uint8", [0, 5], (d) => t.cast(e(d, 0, 5), "uint8")],
  ["where", [2, 0], (d) => t.where(t.greater(e(d, 2, 0), 0), 1, 2)],
  ["sum of nothing", [], (d) => t.sum(e(d, 0)), 0],
  ["sum along nothing", [3], (d) => t.sum(e(d, 3, 0), 1), 0],
  ["sum along something", [0], (d) => t.sum(e(d, 3, 0), 0)],
  ["prod of nothing", [], (d) => t.prod(e(d, 0)), 1],
  ["max along something", [0], (d) => t.max(e(d, 3, 0), 0)],
  ["all of nothing", [], (d) => t.all(t.cast(e(d, 0), "bool")), 1],
  ["any of nothing", [], (d) => t.any(t.cast(e(d, 0), "bool")), 0],
  ["logSumExp of nothing", [2], (d) => t.logSumExp(e(d, 2, 0), 1), -Infinity],
  ["softmax", [2, 0], (d) => t.softmax(e(d, 2, 0))],
  ["softmax, no rows", [0, 4], (d) => t.softmax(e(d, 0, 4))],
  ["cumsum", [0, 4], (d) => t.cumsum(e(d, 0, 4), 0)],
  ["matmul, no rows", [0, 4], (d) => t.matmul(e(d, 0, 3), full(d, [3, 4]))],
  ["matmul, nothing to sum", [2, 4], (d) => t.matmul(e(d, 2, 0), e(d, 0, 4)), 0],
  ["matmul, no batch", [0, 2, 4], (d) => t.matmul(e(d, 0, 2, 3), full(d, [3, 4]))],
  [
    "conv2d, no images",
    [0, 3, 3, 5],
    (d) => t.conv2d(e(d, 0, 3, 3, 2), full(d, [3, 3, 2, 5]), { padding: "same" }),
  ],
  [
    "conv2d, no output channels",
    [1, 3, 3, 0],
    (d) => t.conv2d(full(d, [1, 3, 3, 2]), e(d, 3, 3, 2, 0), { padding: "same" }),
  ],
  [
    "conv2d, no input channels",
    [1, 3, 3, 5],
    (d) => t.conv2d(e(d, 1, 3, 3, 0), e(d, 3, 3, 0, 5), { padding: "same" }),
    0,
  ],
  [
    "conv2dWeightGrad, no images",
    [3, 3, 2, 5],
    (d) => t.conv2dWeightGrad(e(d, 0, 3, 3, 2), e(d, 0, 3, 3, 5), [3, 3], { padding: "same" }),
    0,
  ],
  [
    "conv2dInputGrad, no images",
    [0, 3, 3, 2],
    (d) => t.conv2dInputGrad(e(d, 0, 3, 3, 5), full(d, [3, 3, 2, 5]), [3, 3], { padding: "same" }),
  ],
  ["maxPool2d", [0, 1, 1, 2], (d) => t.maxPool2d(e(d, 0, 2, 2, 2), 2)],
  ["avgPool2d", [0, 1, 1, 2], (d) => t.avgPool2d(e(d, 0, 2, 2, 2), 2)],
  ["globalAvgPool", [0, 2], (d) => t.globalAvgPool(e(d, 0, 3, 3, 2))],
  ["reshape", [0, 7], (d) => t.reshape(e(d, 3, 0), [0, 7])],
  ["permute", [0, 3], (d) => t.permute(e(d, 3, 0), [1, 0])],
  ["expand", [5, 0], (d) => t.expand(e(d, 1, 0), [5, 0])],
  ["slice to nothing", [0, 2], (d) => t.slice(full(d, [3, 2]), [3])],
  ["slice of nothing", [0], (d) => t.slice(e(d, 0), [0], [0])],
  ["flip", [0, 2], (d) => t.flip(e(d, 0, 2))],
  ["pad", [2, 2], (d) => t.pad(e(d, 0, 0), 1, { value: 7 }), 7],
  ["concat with nothing", [2], (d) => t.concat([e(d, 0), full(d, [2]), e(d, 0)]), 1],
  ["concat of nothing", [0, 3], (d) => t.concat([e(d, 0, 3), e(d, 0, 3)])],
  ["stack", [2, 0], (d) => t.stack([e(d, 0), e(d, 0)])],
  ["tile", [0], (d) => t.tile(full(d, [3]), [0])],
  ["roll", [0, 2], (d) => t.roll(e(d, 0, 2), 1)],
  ["gather nothing", [0, 2], (d) => t.gather(full(d, [3, 2]), d.tensor(new Int32Array(0)))],
  ["gather of empty rows", [1, 0], (d) => t.gather(e(d, 3, 0), d.tensor([2], [1], "int32"))],
  [
    "scatterAdd nothing",
    [3, 2],
    (d) => t.scatterAdd(full(d, [3, 2]), d.tensor(new Int32Array(0)), e(d, 0, 2)),
    1,
  ],
  ["oneHot", [0, 4], (d) => t.oneHot(d.tensor(new Int32Array(0)), 4)],
  ["sort", [0], (d) => t.sort(e(d, 0)).values],
  ["sort, no rows", [0, 3], (d) => t.sort(e(d, 0, 3)).indices],
  ["topK, no rows", [0, 2], (d) => t.topK(e(d, 0, 3), 2).values],
  ["resize", [0, 4, 4, 3], (d) => t.resize(e(d, 0, 2, 2, 3), [4, 4])],
  ["l2Normalize", [0, 3], (d) => t.l2Normalize(e(d, 0, 3))],
];

describe.each(["cpu", "webgpu", "reference"] as const)("nothing on %s", (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(kind);
  });
  afterAll(() => device.destroy());

  it.each(cases.map(([name, shape, make, value]) => ({ name, shape, make, value })))("$name", async (c) => {
    const { shape, make, value } = c;
    const y = make(device);
    expect(y.shape).toEqual(shape);
    const data = await y.float64();
    expect(data.length).toBe(count(shape));
    for (const v of data) expect(v).toBe(value);
    // The same as part of a larger program, whose other results must not suffer.
    const [again, other] = [make(device), t.mul(device.tensor([1, 2]), 3)];
    await device.flush();
    expect((await again.data()).length).toBe(count(shape));
    expect([...(await other.data())]).toEqual([3, 6]);
  });

  it("in variables and captured functions", async () => {
    const v = device.variable(e(device, 0, 2), "none");
    const step = device.capture((x: Tensor) => {
      v.assign(t.add(v.value, x));
      return [t.sum(v.value), v.value];
    });
    for (let i = 0; i < 2; i++) {
      const [total, value] = await step(e(device, 0, 2));
      expect(await total!.item()).toBe(0);
      expect((await value!.data()).length).toBe(0);
    }
  });
});
