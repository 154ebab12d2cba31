/** Batch statistics of hard data, and batch normalisation as a whole: its derivatives, and what it costs to run. */
import { gradcheck, valueAndGrad } from "@dawnstrap/autograd";
import {
  add,
  batchNorm,
  batchNormInference,
  batchNormStats,
  type Device,
  mul,
  openDevice,
  relu,
  sum,
  type Tensor,
} from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generator } from "@dawnstrap/tensor/testing";

const seed = Number(process.env.DAWNSTRAP_SEED);

/** Mean and biased variance of each channel in float64. */
function moments(data: Float32Array, channels: number): { mean: Float64Array; variance: Float64Array } {
  const rows = data.length / channels;
  const [mean, variance] = [new Float64Array(channels), new Float64Array(channels)];
  data.forEach((v, i) => {
    mean[i % channels]! += v / rows;
  });
  data.forEach((v, i) => {
    variance[i % channels]! += (v - mean[i % channels]!) ** 2 / rows;
  });
  return { mean, variance };
}

const worst = (got: ArrayLike<number>, want: Float64Array): number =>
  want.reduce((w, v, i) => Math.max(w, Math.abs(got[i]! - v) / Math.abs(v)), 0);

describe.each(["cpu", "webgpu"] as const)(`batch statistics on %s (seed ${seed})`, (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(kind);
  });
  afterAll(() => device.destroy());

  const cases: [string, number, number, (next: () => number, row: number) => number][] = [
    ["standard values, many rows", 200_000, 3, (next) => next() - 0.3],
    ["a mean a thousand deviations away", 20_000, 5, (next) => 1000 + next()],
    ["a huge first row", 10_000, 4, (next, row) => (row === 0 ? 1e4 : next() + 1)],
    ["a drift along the rows", 60_000, 2, (next, row) => row / 100 + next()],
    ["two rows", 2, 33, (next) => next() + 0.1],
  ];
  it.each(cases)("are accurate: %s", async (_, rows, channels, draw) => {
    const next = generator(seed);
    const data = Float32Array.from({ length: rows * channels }, (__, i) =>
      draw(next, Math.floor(i / channels)),
    );
    const { mean, variance } = batchNormStats(device.tensor(data, [rows, channels]));
    const want = moments(data, channels);
    // What normalisation feels: an error of the mean in units of the deviation, or of the mean where that is larger.
    const size = want.mean.map((m, c) => Math.abs(m) + Math.sqrt(want.variance[c]!));
    const off = (await mean.data()).map((m, c) => Math.abs(m - want.mean[c]!) / size[c]!);
    expect(Math.max(...off)).toBeLessThan(1e-6);
    expect(worst(await variance.data(), want.variance)).toBeLessThan(1e-4);
  });

  it("give the same bits every time", async () => {
    const next = generator(seed);
    const x = device.tensor(
      Float32Array.from({ length: 30_000 }, () => next()),
      [5000, 6],
    );
    const run = async (): Promise<ArrayLike<number>> => (await batchNormStats(x).variance.data()).slice();
    expect(await run()).toEqual(await run());
  });

  it("are zero in the variance of a constant, and normalise it to the offset", async () => {
    const x = device.full([7, 3], 12.5);
    const { y, variance } = batchNorm(x, device.ones([3]), device.full([3], 0.25));
    expect([...(await variance.data())]).toEqual([0, 0, 0]);
    expect([...(await y.data())]).toEqual(new Array(21).fill(0.25));
  });

  it("let a residual sum and ReLU join the normalisation: four kernels in all", async () => {
    const next = generator(seed);
    const make = (shape: number[]): Tensor =>
      device.tensor(
        Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => next()),
        shape,
      );
    const [x, residual] = [make([4, 5, 5, 8]), make([4, 5, 5, 8])];
    const [scale, offset] = [make([8]), make([8])];
    await device.flush();
    const before = device.backend!.counters.dispatches;
    await relu(add(batchNorm(x, scale, offset).y, residual)).data();
    // Partial statistics, their merger, the factor per channel, and everything pointwise at once.
    expect(device.backend!.counters.dispatches - before).toBeLessThanOrEqual(4);
  });
});

describe("batch normalisation, float64", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice("reference");
  });
  afterAll(() => device.destroy());

  const inputs = (): { xs: [Tensor, Tensor, Tensor]; weights: Tensor } => {
    const next = generator(seed);
    const make = (shape: number[]): Tensor =>
      device.tensor(
        Array.from({ length: shape.reduce((a, b) => a * b) }, () => 2 * next() - 0.7),
        shape,
      );
    return { xs: [make([3, 2, 2, 4]), make([4]), make([4])], weights: make([3, 2, 2, 4]) };
  };

  it("has the derivative of finite differences through its statistics, once and twice", async () => {
    const { xs, weights } = inputs();
    const loss = (x: Tensor, scale: Tensor, offset: Tensor): Tensor => {
      const { y } = batchNorm(x, scale, offset, { eps: 1e-3 });
      return sum(mul(mul(y, y), weights));
    };
    await gradcheck(loss, xs, { seed });
    const along = xs.map((x) => mul(x, 1.5));
    const twice = (...at: Tensor[]): Tensor =>
      valueAndGrad(loss)(at[0]!, at[1]!, at[2]!)
        .grads.map((g, i) => sum(mul(g, along[i]!)))
        .reduce((a, b) => add(a, b));
    await gradcheck(twice, xs, { seed, tolerance: 1e-5 });
  });

  it("gives an input gradient without mean and without component along the normalised input", async () => {
    const { xs, weights } = inputs();
    const { grads } = valueAndGrad((x: Tensor) =>
      sum(mul(batchNorm(x, xs[1], xs[2], { eps: 0 }).y, weights)),
    )(xs[0]);
    const [g, x] = [await grads[0].data(), await xs[0].data()];
    for (let c = 0; c < 4; c++) {
      const of = (data: ArrayLike<number>): number[] =>
        Array.from({ length: 12 }, (_, r) => data[r * 4 + c]!);
      const [gc, xc] = [of(g), of(x)];
      expect(gc.reduce((s, v) => s + v, 0)).toBeCloseTo(0, 5);
      expect(gc.reduce((s, v, i) => s + v * xc[i]!, 0)).toBeCloseTo(0, 5);
    }
  });

  it("uses given statistics in evaluation", async () => {
    const vector = (...v: number[]): Tensor => device.tensor(v);
    const x = device.tensor([
      [1, 2],
      [3, 4],
    ]);
    const y = batchNormInference(x, vector(1, 2), vector(4, 0.25), vector(2, 3), vector(0.5, -1), { eps: 0 });
    expect([...(await y.data())]).toEqual([0.5, -1, 2.5, 11]);
  });
});
