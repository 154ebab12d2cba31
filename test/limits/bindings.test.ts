/** Expressions that read more tensors than one kernel may bind: parts of them are stored first, the value stays right. */
import {
  add,
  cast,
  concat,
  type Device,
  mul,
  openDevice,
  relu,
  stack,
  sub,
  sum,
  type Tensor,
  where,
  greater,
} from "@dawnstrap/tensor";
import { packFlat } from "@dawnstrap/tensor/extend";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** "cpu of 8": the CPU with the limits of the smallest WebGPU device, which every call is held to. */
const kinds = ["cpu", "cpu of 8", "webgpu", "reference"] as const;

/** Makes the planner see tighter limits, and a call that breaks them fail. */
function tighten(device: Device, buffersPerKernel: number): void {
  const backend = device.backend!;
  Object.assign(backend.limits, { buffersPerKernel, exclusiveWrites: true });
  const prepare = backend.prepare.bind(backend);
  backend.prepare = (calls, onProgress) => {
    for (const { key, bindings } of calls) expect(bindings.length, key).toBeLessThanOrEqual(buffersPerKernel);
    return prepare(calls, onProgress);
  };
}

describe.each(kinds)("many inputs on %s", (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(kind === "cpu of 8" ? "cpu" : kind);
    if (kind === "cpu of 8") tighten(device, 8);
  });
  afterAll(() => device.destroy());

  const length = 33;
  /** Tensor k holds k·100 + i. */
  const make = (count: number, dtype: "float32" | "uint8" = "float32"): Tensor[] =>
    Array.from({ length: count }, (_, k) =>
      dtype === "uint8"
        ? device.tensor(Uint8Array.from({ length }, (_, i) => (k + i) % 256))
        : device.tensor(Float32Array.from({ length }, (_, i) => k * 100 + i)),
    );
  const total = (count: number, i: number): number => (100 * count * (count - 1)) / 2 + count * i;
  const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
  const expected = (f: (i: number) => number): number[] => Array.from({ length }, (_, i) => f(i));

  it.each([15, 16, 17, 31, 32, 33, 40, 100])("a sum of %i tensors, one after another", async (count) => {
    expect(await values(make(count).reduce((a, b) => add(a, b)))).toEqual(expected((i) => total(count, i)));
  });

  it("a sum of 64 tensors as a balanced tree, and from the right", async () => {
    let level = make(64);
    while (level.length > 1)
      level = level.flatMap((x, k) => (k % 2 ? [] : [add(mul(x, 0.5), mul(level[k + 1]!, 0.5))]));
    expect(await values(level[0]!)).toEqual(expected((i) => total(64, i) / 64));
    const halves = make(64).map((x) => mul(x, 0.5));
    expect(await values(halves.reduceRight((a, b) => add(b, a)))).toEqual(expected((i) => total(64, i) / 2));
  });

  it("a sum of 40 that several results read", async () => {
    const tensors = make(40);
    const shared = tensors.reduce((a, b) => add(a, b));
    const others = tensors.map((x) => sub(shared, x));
    for (const k of [0, 17, 39])
      expect(await values(others[k]!)).toEqual(expected((i) => total(40, i) - (k * 100 + i)));
    expect(await sum(shared).item()).toBe(expected((i) => total(40, i)).reduce((a, b) => a + b));
  });

  it("choices among three expressions that each read many tensors", async () => {
    const [a, b, c] = [0, 1, 2].map(() => make(14).reduce((x, y) => add(x, y)));
    const chosen = where(greater(a!, total(14, 5)), mul(b!, 2), relu(c!));
    expect(await values(chosen)).toEqual(expected((i) => total(14, i) * (i > 5 ? 2 : 1)));
  });

  it.each(["float32", "uint8"] as const)("%s tensors joined and stacked", async (dtype) => {
    const tensors = make(18, dtype);
    const all = await values(concat(tensors));
    const each = await Promise.all(tensors.map(values));
    expect(all).toEqual(each.flat());
    expect(
      await values(
        stack(
          tensors.map((x) => add(x, 1)),
          1,
        ),
      ),
    ).toEqual(expected((i) => i).flatMap((i) => each.map((v) => v[i]! + 1)));
  });

  it("40 tensors packed into one", async () => {
    const tensors = make(40);
    const packed = await packFlat(
      tensors,
      tensors.map((_, k) => k * 64),
      40 * 64,
    ).data();
    expect([...packed.subarray(39 * 64, 39 * 64 + length)]).toEqual(expected((i) => 3900 + i));
    expect(packed[63]).toBe(0);
  });

  it("forty variables assigned from one expression of them all", async () => {
    const variables = make(40).map((x, k) => device.variable(x, `v${k}`));
    await device.flush();
    const mean = mul(
      variables.map((v) => v.value).reduce((a, b) => add(a, b)),
      1 / 40,
    );
    for (const v of variables) v.assign(add(relu(v.value), mean));
    await device.flush();
    const last = await values(variables[39]!.value);
    expect(last[0]).toBeCloseTo(3900 + total(40, 0) / 40, 2);
    expect(await values(cast(variables[0]!.value, "int32"))).toEqual(expected((i) => 1950 + 2 * i));
  });
});
