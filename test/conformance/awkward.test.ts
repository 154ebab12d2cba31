/** Shapes and values picked by hand: empty and single extents, odd ones, sizes past the limits of one dispatch. */
import * as t from "@dawnstrap/tensor";
import type { Device, Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packFlat } from "@dawnstrap/tensor/extend";
import { mismatch } from "@dawnstrap/tensor/testing";
import { deviceNames, open } from "./devices.js";

const made = new Map<string, Float32Array>();
/** Deterministic values in [−1, 1). */
function wave(n: number, step = 0.618034): Float32Array {
  const known = made.get(`${n} ${step}`);
  if (known) return known;
  const data = new Float32Array(n);
  for (let i = 0; i < n; i++) data[i] = ((i * step) % 2) - 1;
  made.set(`${n} ${step}`, data);
  return data;
}
const waves = (d: Device, shape: readonly number[], step?: number): Tensor =>
  d.tensor(
    wave(
      shape.reduce((a, b) => a * b, 1),
      step,
    ),
    shape,
  );

const nothing: Record<string, (d: Device) => Tensor[]> = {
  pointwise: (d) => [
    t.exp(d.zeros([0])),
    t.add(d.zeros([3, 0, 2]), d.ones([2])),
    t.relu(d.zeros([2, 0], "int32")),
  ],
  "scalars broadcast": (d) => [
    t.add(waves(d, []), waves(d, [1, 1])),
    t.mul(waves(d, [5]), 3),
    t.where(t.greater(waves(d, [4, 1]), 0), 1, waves(d, [3])),
  ],
  "sum, prod, any, all of nothing": (d) => [
    t.sum(d.zeros([3, 0]), 1),
    t.prod(d.zeros([0])),
    t.any(d.zeros([2, 0], "bool"), 1),
    t.all(d.zeros([2, 0], "bool"), 1),
    t.sum(d.zeros([0, 4]), 1),
    t.logSumExp(d.zeros([2, 0]), 1),
  ],
  "softmax and cumsum of nothing": (d) => [
    t.softmax(d.zeros([0, 5])),
    t.softmax(d.zeros([5, 0])),
    t.cumsum(d.zeros([0])),
  ],
  views: (d) => [
    t.reshape(d.zeros([0, 3]), [3, 0]),
    t.slice(waves(d, [5]), [3], [3]),
    t.permute(d.zeros([0, 2]), [1, 0]),
    t.expand(d.zeros([1, 0]), [4, 0]),
    t.pad(
      d.zeros([0, 2]),
      [
        [1, 1],
        [0, 1],
      ],
      { value: 2 },
    ),
    t.concat([waves(d, [2, 0]), waves(d, [2, 3]), waves(d, [2, 0])], 1),
    t.flip(d.zeros([0])),
    t.roll(d.zeros([0, 3]), 1),
    packFlat([d.zeros([0]), waves(d, [3])], [0, 64], 100),
  ],
  "extents of 1": (d) => [
    t.sum(waves(d, [1, 1, 1])),
    t.max(waves(d, [1, 7, 1]), [0, 2]),
    t.softmax(waves(d, [4, 1])),
    t.argMax(waves(d, [1, 9]), 0),
    t.cumsum(waves(d, [1])),
    t.reshape(waves(d, [1, 6, 1]), [2, 1, 3]),
  ],
  "ranks up to 6": (d) => [
    t.permute(waves(d, [2, 3, 1, 5, 2, 3]), [5, 1, 0, 3, 2, 4]),
    t.sum(waves(d, [2, 3, 2, 5, 2, 3]), [0, 2, 4]),
    t.sum(waves(d, [33, 3, 65, 2]), [0, 2]),
    t.max(waves(d, [17, 5, 129, 2, 9]), [0, 2, 4]),
    t.slice(waves(d, [3, 4, 5, 6]), [2, -1, null, 1], [null, 0, 4, -1], [-2, -2, 2, 3]),
  ],
};

/** One more than fits 65,535 workgroups of 64, and odd. */
const many = 65_535 * 64 + 77;

/** Terms of one sign, so that a sum is not what cancellation left of it. */
const sizes = (d: Device, shape: readonly number[]): Tensor => t.abs(waves(d, shape));

const large: Record<string, (d: Device) => Tensor[]> = {
  pointwise: (d) => [t.add(t.mul(waves(d, [many]), 2), 1), t.greater(waves(d, [many]), 0)],
  "pointwise, broadcast": (d) => [t.mul(waves(d, [2_053, 1]), waves(d, [1, 2_053]))],
  bytes: (d) => [t.cast(t.add(t.mod(d.arange(many, "uint8"), 7), 3), "uint8")],
  "sum, max, argMax of everything": (d) => [
    t.sum(sizes(d, [many])),
    t.max(waves(d, [many])),
    t.argMax(waves(d, [many])),
  ],
  "rows and columns": (d) => [
    t.sum(sizes(d, [2_051, 2_053]), 1),
    t.sum(sizes(d, [2_051, 2_053]), 0),
    t.sum(sizes(d, [1_001, 1_009, 5]), [0, 1]),
    t.logSumExp(waves(d, [3, 1_500_001]), 1),
  ],
  "many short rows": (d) => [t.sum(sizes(d, [600_011, 7]), 1), t.softmax(waves(d, [600_011, 7]))],
  transposed: (d) => [t.permute(waves(d, [2_051, 2_053]), [1, 0])],
  joined: (d) => [t.concat([waves(d, [many]), waves(d, [3]), waves(d, [many])])],
  "reversed and padded": (d) => [
    t.slice(waves(d, [many]), [null], [null], [-1]),
    t.pad(waves(d, [2_051, 2_049]), 2, { mode: "reflect" }),
  ],
  "running sum": (d) => [t.cumsum(d.ones([many])), t.cumsum(sizes(d, [many]), 0, { reverse: true })],
};

const special = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 2.5, -2.5, 0.5, 1.5, 3.4e38, -3.4e38, 1e-30];
const pairs = special.flatMap((a) => special.map((b) => [a, b] as const));

const values: Record<string, (d: Device) => Tensor[]> = {
  "NaN passes through": (d) => {
    const x = d.tensor(special);
    return [
      t.relu(x),
      t.clip(x, -2, 2),
      t.max(x),
      t.min(x),
      t.sum(x),
      t.isNaN(x),
      t.sign(x),
      t.abs(x),
      t.argMax(x),
      t.argMin(x),
    ];
  },
  "first of equals": (d) => {
    const x = d.tensor([1, 3, 3, -2, -2, 0]);
    return [t.argMax(x), t.argMin(x), t.argMax(d.tensor([-0, 0])), t.argMin(d.tensor([0, -0]))];
  },
  "functions at their edges": (d) => {
    const x = d.tensor(special.filter((v) => Math.abs(v) < 1e30 || !Number.isFinite(v)));
    return [
      t.exp,
      t.log,
      t.log1p,
      t.expm1,
      t.sqrt,
      t.tanh,
      t.sigmoid,
      t.erf,
      t.floor,
      t.ceil,
      t.round,
      t.softplus,
    ].map((f) => f(x));
  },
  "pairs of special values": (d) => {
    const [a, b] = [d.tensor(pairs.map((p) => p[0])), d.tensor(pairs.map((p) => p[1]))];
    return [
      t.minimum(a, b),
      t.maximum(a, b),
      t.equal(a, b),
      t.notEqual(a, b),
      t.less(a, b),
      t.greaterEqual(a, b),
      t.pow(a, b),
    ];
  },
  "softmax of infinities": (d) => {
    const x = d.tensor([
      [1, -Infinity, 2],
      [-Infinity, -Infinity, 0],
    ]);
    return [
      t.softmax(x),
      t.logSoftmax(x),
      t.logSumExp(d.tensor([-Infinity, -Infinity])),
      t.logSumExp(d.tensor([Infinity, 0])),
    ];
  },
  "integer edges": (d) => {
    const x = d.tensor(Int32Array.of(2 ** 31 - 1, -(2 ** 31), -7, 7, 0));
    const y = d.tensor(Int32Array.of(1, -1, 3, -3, 0));
    const u = d.tensor(Uint32Array.of(0, 1, 2 ** 32 - 1, 7));
    return [
      t.add(x, y),
      t.mul(x, y),
      t.mod(x, y),
      t.neg(u),
      t.mod(u, 4),
      t.argMax(x),
      t.argMax(u),
      t.max(u),
      t.min(x),
      t.cast(u, "float32"),
    ];
  },
};

describe.each(deviceNames)("picked cases on %s", (name) => {
  let device: Device;
  let reference: Device;
  beforeAll(async () => {
    [device, reference] = [await open(name), await open("reference")];
  });
  afterAll(async () => {
    await device.destroy();
    await reference.destroy();
  });

  const agrees = async (make: (d: Device) => Tensor[]): Promise<void> => {
    const lines = await device.scope(async () => {
      const [actual, expected] = [make(device), make(reference)];
      const found: string[] = [];
      for (const [k, e] of expected.entries()) {
        expect(actual[k]!.shape).toEqual(e.shape);
        expect(actual[k]!.dtype).toBe(e.dtype);
        // What float32 cannot hold is infinite there.
        const want = e.dtype === "float32" ? Float32Array.from(await e.float64()) : await e.data();
        const worst = mismatch(await actual[k]!.data(), want, e.dtype === "float32" ? 1e-5 : 0);
        if (worst)
          found.push(
            `result ${k}, element ${worst.index}: ${worst.actual}, the reference has ${worst.expected}`,
          );
      }
      return found;
    });
    expect(lines).toEqual([]);
  };

  it.each(Object.entries(nothing))("%s", (_, make) => agrees(make));
  it.each(Object.entries(large))("large: %s", (_, make) => agrees(make));
  it.each(Object.entries(values))("values: %s", (_, make) => agrees(make));

  it("sums 10⁷ elements as accurately as float64 allows to tell", async () => {
    const n = 10_000_000;
    for (const [what, data] of [
      ["wave", wave(n, 0.7548777)],
      ["large offset", wave(n, 0.7548777).map((v) => v + 1000)],
    ] as const) {
      const exact = data.reduce((s, v) => s + v, 0);
      const size = data.reduce((s, v) => s + Math.abs(v), 0);
      const total = await t.sum(device.tensor(data)).item();
      console.log(
        `${name}: sum of 10⁷, ${what}: error ${(Math.abs(total - exact) / size).toExponential(1)} of Σ|x|`,
      );
      expect(Math.abs(total - exact) / size).toBeLessThan(2e-7);
    }
  });

  it("computes a variance under a mean of 10⁴", async () => {
    const n = 1_000_003;
    const data = wave(n).map((v) => v + 10_000);
    const mean = data.reduce((s, v) => s + v, 0) / n;
    const exact = data.reduce((s, v) => s + (v - mean) ** 2, 0) / n;
    const v = await t.variance(device.tensor(data)).item();
    expect(Math.abs(v / exact - 1)).toBeLessThan(1e-5);
  });

  it("gives the same bits again", async () => {
    const x = waves(device, [many]);
    const [a, b] = [await t.sum(x).item(), await t.sum(t.neg(t.neg(x))).item()];
    expect(await t.sum(x).item()).toBe(a);
    expect(b).toBe(a);
  });
});
