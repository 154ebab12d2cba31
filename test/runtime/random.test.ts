/** Random tensors have the same bits on every device, and the host's twins give the same numbers. */
import {
  type Device,
  openDevice,
  randomBernoulli,
  randomBits,
  randomKey,
  randomNormal,
  randomPermutation,
  randomTruncatedNormal,
  randomUniform,
  type Tensor,
} from "@dawnstrap/tensor";
import { hostRandomBits, normalOf, truncatedNormalOf, uniformOf } from "@dawnstrap/tensor/extend";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const seed = Number(process.env.DAWNSTRAP_SEED);
const count = 5003;
const shape = [count];
const key: [number, number] = [seed >>> 0, 0xfedcba98];
const words = hostRandomBits(key, count, 3);

/** Bits of float32 numbers, so that −0 and rounding show. */
const bitsOf = (data: ArrayLike<number>): Uint32Array => new Uint32Array(Float32Array.from(data).buffer);

const draws: Readonly<Record<string, (k: Tensor) => Tensor>> = {
  bits: (k) => randomBits(k, shape, { stream: 3 }),
  uniform: (k) => randomUniform(k, shape, { stream: 3 }),
  "uniform in [−0.3, 0.7)": (k) => randomUniform(k, shape, { stream: 3, lo: -0.3, hi: 0.7 }),
  normal: (k) => randomNormal(k, shape, { stream: 3 }),
  "normal of mean 0.1 and deviation 0.02": (k) => randomNormal(k, shape, { stream: 3, mean: 0.1, std: 0.02 }),
  "truncated normal": (k) => randomTruncatedNormal(k, shape, { stream: 3, std: 1.7 }),
};

describe.each(["cpu", "webgpu", "reference"] as const)(`random tensors on %s (key ${key})`, (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(kind);
  });
  afterAll(() => device.destroy());

  it.each(Object.entries(draws))("%s: the same bits as on the cpu", async (_, draw) => {
    const cpu = await openDevice("cpu");
    const want = bitsOf(await draw(randomKey(cpu, key)).data());
    await cpu.destroy();
    expect(bitsOf(await draw(randomKey(device, key)).data())).toEqual(want);
  });

  it("equals the host's twins", async () => {
    const k = randomKey(device, key);
    expect(Uint32Array.from(await randomBits(k, shape, { stream: 3 }).data())).toEqual(words);
    expect(bitsOf(await randomUniform(k, shape, { stream: 3 }).data())).toEqual(
      bitsOf(Float64Array.from(words, uniformOf)),
    );
    expect(bitsOf(await randomNormal(k, shape, { stream: 3 }).data())).toEqual(
      bitsOf(Float64Array.from(words, (w) => normalOf(w))),
    );
    expect(bitsOf(await randomTruncatedNormal(k, shape, { stream: 3 }).data())).toEqual(
      bitsOf(Float64Array.from(words, (w) => truncatedNormalOf(w))),
    );
  });

  it("draws true with the given probability, always and never at the ends", async () => {
    const k = randomKey(device, key);
    const rate = async (p: number): Promise<number> =>
      [...(await randomBernoulli(k, shape, p, { stream: 3 }).data())].reduce((s, v) => s + v, 0) / count;
    expect(await rate(0)).toBe(0);
    expect(await rate(1)).toBe(1);
    expect(await rate(0.3)).toBe(words.filter((w) => w < Math.round(0.3 * 2 ** 32)).length / count);
  });

  it("permutes: each number once, in the order of its random words", async () => {
    const order = [...(await randomPermutation(randomKey(device, key), 1000, { stream: 3 }).data())];
    expect(order).toEqual(
      Array.from({ length: 1000 }, (_, i) => i).sort((a, b) => words[a]! - words[b]! || a - b),
    );
  });
});

describe.each(["cpu", "webgpu"] as const)("captured draws on %s", (kind) => {
  it("vary with the key alone, and outlive the scope that they were captured in", async () => {
    const device = await openDevice(kind);
    const step = device.capture(
      (k: Tensor) => [randomNormal(k, [64]), randomTruncatedNormal(k, [64])] as const,
    );
    const draw = async (s: number): Promise<number[]> => {
      const results = await step(randomKey(device, s));
      return (await Promise.all(results.map((r) => r.data()))).flatMap((data) => [...data]);
    };
    const first = await device.scope(() => draw(1));
    // Whatever the scope freed is taken by others now.
    const others = Array.from({ length: 8 }, (_, i) => device.tensor(new Uint32Array(4096).fill(i)).add(1));
    await device.flush();
    expect(await draw(1)).toEqual(first);
    expect(await draw(2)).not.toEqual(first);
    expect(await device.scope(() => draw(1))).toEqual(first);
    // Made anew outside of the program, the numbers are the same.
    expect([...(await randomNormal(randomKey(device, 1), [64]).data())]).toEqual(first.slice(0, 64));
    expect((await others[7]!.data())[4095]).toBe(8);
    await device.destroy();
  });
});
