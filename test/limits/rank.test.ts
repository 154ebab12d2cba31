/** The lowest and a high rank through every family that takes any: float32 devices against the float64 reference. */
import * as t from "@dawnstrap/tensor";
import { type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** 144 elements. */
const eight = [2, 1, 3, 2, 1, 2, 3, 2];
const count = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);
const ramp = (d: Device, shape: readonly number[], scale = 0.25): Tensor =>
  d.tensor(
    Float32Array.from({ length: count(shape) }, (_, i) => ((i * 37) % 101) * scale - 5),
    shape,
  );

type Case = readonly [name: string, make: (device: Device) => Tensor];

const scalar = (d: Device): Tensor => ramp(d, []);
const rank0: readonly Case[] = [
  ["a leaf", scalar],
  ["full", (d) => d.full([], 3)],
  ["a chain", (d) => t.exp(t.mul(t.add(scalar(d), 1), 0.5))],
  ["beside a vector", (d) => t.mul(scalar(d), ramp(d, [3]))],
  ["cast", (d) => t.cast(scalar(d), "int32")],
  ["where", (d) => t.where(t.greater(scalar(d), 0), 1, 2)],
  ["sum", (d) => t.sum(scalar(d))],
  ["variance", (d) => t.variance(scalar(d))],
  ["max", (d) => t.max(scalar(d))],
  ["reshape", (d) => t.reshape(scalar(d), [1, 1, 1])],
  ["and back", (d) => t.reshape(ramp(d, [1, 1]), [])],
  ["permute", (d) => t.permute(scalar(d), [])],
  ["expand", (d) => t.expand(scalar(d), [2, 3])],
  ["slice", (d) => t.slice(scalar(d), [])],
  ["flip", (d) => t.flip(scalar(d))],
  ["pad", (d) => t.pad(scalar(d), [])],
  ["stack", (d) => t.stack([scalar(d), t.add(scalar(d), 1)])],
  ["tile", (d) => t.tile(scalar(d), [3])],
  ["gather one row", (d) => t.gather(ramp(d, [3, 2]), d.tensor([1], [], "int32"))],
  ["oneHot", (d) => t.oneHot(d.tensor([1], [], "int32"), 3)],
  ["dot product", (d) => t.matmul(ramp(d, [4]), ramp(d, [4]))],
];

const x8 = (d: Device): Tensor => ramp(d, eight);
const rank8: readonly Case[] = [
  ["a chain", (d) => t.relu(t.add(t.mul(x8(d), 2), 1))],
  [
    "broadcast on alternate axes",
    (d) => t.add(ramp(d, [2, 1, 1, 2, 1, 1, 3, 1]), ramp(d, [1, 1, 3, 1, 1, 2, 1, 2])),
  ],
  ["permute backwards", (d) => t.add(t.permute(x8(d), [7, 6, 5, 4, 3, 2, 1, 0]), 0)],
  ["permute, then reshape", (d) => t.reshape(t.permute(x8(d), [2, 0, 6, 1, 3, 7, 5, 4]), [12, 12])],
  ["expand", (d) => t.add(t.expand(x8(d), [2, 5, 3, 2, 2, 2, 3, 2]), 0)],
  ["sum of alternate axes", (d) => t.sum(x8(d), [0, 2, 4, 6])],
  ["sum of the others", (d) => t.sum(x8(d), [1, 3, 5, 7], true)],
  ["variance of all", (d) => t.variance(x8(d))],
  ["max along the middle", (d) => t.max(x8(d), [3, 5])],
  ["argMax", (d) => t.argMax(x8(d), 6)],
  ["softmax along the third", (d) => t.softmax(x8(d), 2)],
  ["cumsum", (d) => t.cumsum(x8(d), 6)],
  ["matmul over six batch axes", (d) => t.matmul(x8(d), ramp(d, [1, 1, 3, 1, 1, 1, 2, 4]))],
  [
    "slice with steps",
    (d) => t.slice(x8(d), [null, null, 2, null, null, null, null, 1], [], [1, 1, -1, 1, 1, -1, 2, 1]),
  ],
  ["flip", (d) => t.flip(x8(d), [0, 3, 7])],
  [
    "pad by reflection",
    (d) =>
      t.pad(
        x8(d),
        [
          [0, 1],
          [0, 0],
          [1, 2],
          [0, 0],
          [0, 0],
          [1, 1],
          [2, 0],
          [0, 1],
        ],
        { mode: "reflect" },
      ),
  ],
  ["concat", (d) => t.concat([x8(d), ramp(d, [2, 1, 3, 2, 1, 2, 2, 2])], 6)],
  ["tile", (d) => t.tile(x8(d), [1, 2, 1, 1, 3, 1, 1, 1])],
  ["roll", (d) => t.roll(x8(d), 1, 3)],
  ["gather along the middle", (d) => t.gather(x8(d), d.tensor([1, 0, 1, 1], [2, 2], "int32"), 3)],
  [
    "scatterAdd",
    (d) => t.scatterAdd(x8(d), d.tensor([1, 1, 0], [3], "int32"), ramp(d, [3, ...eight.slice(1)])),
  ],
  ["sort along the third", (d) => t.sort(x8(d), 2).values],
];

describe.each(["cpu", "webgpu"] as const)("ranks on %s", (kind) => {
  let device: Device;
  let reference: Device;
  beforeAll(async () => {
    device = await openDevice(kind);
    reference = await openDevice("reference");
  });
  afterAll(() => Promise.all([device.destroy(), reference.destroy()]));

  const named = [
    ...rank0.map(([n, f]) => [`0: ${n}`, f] as const),
    ...rank8.map(([n, f]) => [`8: ${n}`, f] as const),
  ];
  it.each(named.map(([name, make]) => ({ name, make })))("rank $name", async ({ make }) => {
    const [y, expected] = [make(device), make(reference)];
    expect([y.shape, y.dtype]).toEqual([expected.shape, expected.dtype]);
    const [got, want] = [await y.float64(), await expected.float64()];
    expect(got.length).toBe(want.length);
    got.forEach((v, i) =>
      expect(Math.abs(v - want[i]!), `element ${i}`).toBeLessThanOrEqual(
        1e-5 * Math.max(1, Math.abs(want[i]!)),
      ),
    );
  });
});
