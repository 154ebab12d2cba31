/** Recording, fusion, planning, capture and memory, as a user of the tensor package sees them. */
import {
  add,
  type Device,
  matmul,
  mul,
  openDevice,
  relu,
  reshape,
  sub,
  sum,
  type Tensor,
} from "@dawnstrap/tensor";
import { packFlat } from "@dawnstrap/tensor/extend";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const kinds = ["cpu", "webgpu", "reference"] as const;

describe.each(kinds)("graph on %s", (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(kind);
  });
  afterAll(() => device.destroy());

  const ramp = (n: number, scale = 1): Tensor =>
    device.tensor(Float32Array.from({ length: n }, (_, i) => i * scale));
  const dispatches = (): number => device.backend?.counters.dispatches ?? 0;

  it("fuses a pointwise chain into one kernel", async () => {
    const x = ramp(1000);
    await device.flush();
    const before = dispatches();
    const y = relu(sub(mul(add(x, 1), 2), 100));
    const values = await y.data();
    expect(values[0]).toBe(0);
    expect(values[999]).toBe(1900);
    if (device.backend) expect(dispatches() - before).toBe(1);
  });

  it("computes a shared intermediate once and gives both consumers the same value", async () => {
    const x = ramp(64);
    const shared = add(mul(x, 3), mul(x, x));
    const [a, b] = [sum(shared), mul(shared, 2)];
    expect(await a.item()).toBe(64 * 63 * 1.5 + (63 * 64 * 127) / 6);
    expect((await b.data())[5]).toBe(2 * (15 + 25));
  });

  it("keeps results that nobody consumed, and computes nothing twice", async () => {
    const x = ramp(8);
    const y = add(x, 1);
    await device.flush();
    const before = dispatches();
    expect([...(await y.data())]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(dispatches() - before).toBe(0);
  });

  it("does not grow or recompute in a plain loop without capture", async () => {
    const w = device.variable(ramp(4), "w");
    const counts: number[] = [];
    for (let step = 0; step < 5; step++) {
      const before = dispatches();
      const loss = sum(mul(w.value, w.value));
      w.assign(mul(w.value, 0.5));
      await loss.item();
      counts.push(dispatches() - before);
    }
    expect(new Set(counts.slice(1)).size).toBe(1);
    expect((await w.value.data())[3]).toBeCloseTo(3 / 32, 6);
  });

  it("adds up packed sums in their place, older terms first", async () => {
    const n = 64;
    const square = (phase: number): Tensor =>
      device.tensor(
        Float32Array.from({ length: n * n }, (_, i) => Math.sin(i + phase)),
        [n, n],
      );
    const [x, y, z] = [square(1), square(2), square(3)];
    const before = device.memory().arena;
    const packed = device.capture(() => {
      const two = add(matmul(x, y), matmul(y, z));
      const three = add(matmul(z, x), two);
      return packFlat([three, relu(x)], [0, n * n], 2 * n * n);
    });
    const got = await (await packed()).data();
    // The later terms need a place of their own, in turn; the first one and the sums do not.
    if (device.backend) expect(device.memory().arena - before).toBe(4 * n * n);
    packed.release();
    const [a, b, c] = [matmul(x, y), matmul(y, z), matmul(z, x)];
    await device.realize([a, b, c]);
    const [va, vb, vc] = [await a.float64(), await b.float64(), await c.float64()];
    va.forEach((v, i) => expect(got[i]).toBeCloseTo(v + vb[i]! + vc[i]!, 4));
    expect(got[n * n + 5]).toBeCloseTo(Math.max(0, Math.sin(6)), 6);
  });

  it("swaps two variables that are assigned from each other", async () => {
    const a = device.variable(device.tensor([1, 2]), "a");
    const b = device.variable(device.tensor([10, 20]), "b");
    await device.flush();
    const [oldA, oldB] = [a.value, b.value];
    a.assign(oldB);
    b.assign(oldA);
    await device.flush();
    expect([...(await a.value.data())]).toEqual([10, 20]);
    expect([...(await b.value.data())]).toEqual([1, 2]);
  });

  it("writes a variable from a permuted reading of itself", async () => {
    const v = device.variable(
      device.tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      "v",
    );
    await device.flush();
    v.assign(reshape(v.value.permute([1, 0]), [2, 3]));
    await device.flush();
    expect([...(await v.value.data())]).toEqual([1, 4, 2, 5, 3, 6]);
  });

  it("refuses a handle on a value that was overwritten", async () => {
    const v = device.variable(device.tensor([1]), "counter");
    await device.flush();
    const old = v.value;
    v.assign(add(v.value, 1));
    await device.flush();
    await expect(old.data()).rejects.toThrow(/overwritten by a later value of variable counter/);
    expect(await v.value.item()).toBe(2);
  });

  it("replays a captured function bit for bit and per shape", async () => {
    const start = Float32Array.of(0.1, 0.2, 0.3);
    const v = device.variable(device.tensor(start), "v");
    const step = device.capture((x: Tensor) => {
      const next = mul(add(v.value, sum(x)), 0.7);
      v.assign(next);
      return [sum(next), next];
    });
    const run = async (inputs: readonly Float32Array[]): Promise<number[][]> => {
      v.assign(device.tensor(start));
      const seen: number[][] = [];
      for (const x of inputs) {
        const [total, next] = await step(device.tensor(x));
        seen.push([await total!.item(), ...(await next!.float64()), ...(await v.value.float64())]);
      }
      return seen;
    };
    const inputs = [
      Float32Array.of(0.37, 0.11, 0.77),
      Float32Array.of(1.5),
      Float32Array.of(-0.2, 0.13, 7.1),
    ];
    const recorded = await run(inputs);
    expect(recorded[2]![1]).toBeCloseTo(((0.1 + 1.25) * 0.7 + 1.5) * 0.7 * 0.7 + 7.03 * 0.7, 4);
    expect(await run(inputs)).toEqual(recorded);
  });

  it("creates nothing in a warm replay", async () => {
    const step = device.capture((x: Tensor) => sum(relu(sub(x, 1))));
    await step(ramp(5000));
    await step(ramp(5000));
    if (!device.backend) return;
    const { kernels, buffers, bindGroups } = device.backend.counters;
    for (let i = 0; i < 10; i++) await step(ramp(5000, i));
    const after = device.backend.counters;
    expect([after.kernels, after.buffers, after.bindGroups]).toEqual([kernels, buffers, bindGroups]);
  });

  it("refuses reading inside a captured function, variables made inside, and stale results", async () => {
    const bad = device.capture((x: Tensor) => {
      device.variable(x, "inner");
      return x;
    });
    await expect(bad(ramp(2))).rejects.toThrow(/variable inner is made inside a captured function/);
    const step = device.capture((x: Tensor) => mul(x, 2));
    const first = await step(ramp(3));
    await step(ramp(3));
    await expect(first.data()).rejects.toThrow(/overwritten by a later call of the captured function/);
  });

  it("sees a variable that was assigned between replays", async () => {
    const v = device.variable(device.tensor([1, 1]), "v");
    const step = device.capture((x: Tensor) => mul(x, v.value));
    await step(device.tensor([3, 4]));
    v.assign(device.tensor([10, 100]));
    expect([...(await (await step(device.tensor([3, 4]))).data())]).toEqual([30, 400]);
  });

  it("frees what a scope does not return", async () => {
    let dropped: Tensor | undefined;
    const kept = await device.scope(async () => {
      dropped = add(ramp(100), 1);
      await dropped.data();
      const b = add(ramp(100), 2);
      await b.data();
      return b;
    });
    expect((await kept.data())[0]).toBe(2);
    await expect(dropped!.data()).rejects.toThrow(/released at the end of its scope/);
  });

  it("frees nothing that was recorded outside of the scope", async () => {
    const constant = ramp(4);
    const pending = add(ramp(4), 10);
    for (let i = 0; i < 2; i++)
      await device.scope(async () => {
        expect((await mul(add(pending, i), constant).data())[1]).toBe(11 + i);
        await pending.data();
      });
    expect((await constant.data())[3]).toBe(3);
    expect((await pending.data())[3]).toBe(13);
  });

  it("computes what a scope returns and assigns, and drops what it leaves pending", async () => {
    const v = device.variable(ramp(2), "v");
    let left: Tensor | undefined;
    const kept = await device.scope(async () => {
      const inner = add(ramp(2), 1);
      await inner.data();
      v.assign(mul(inner, 10));
      left = mul(inner, 3);
      return { twice: mul(inner, 2) };
    });
    expect([...(await v.value.data())]).toEqual([10, 20]);
    expect([...(await kept.twice.data())]).toEqual([2, 4]);
    await device.flush();
    await expect(left!.data()).rejects.toThrow(/released at the end of its scope/);
  });

  it("names what is wrong with host data", () => {
    expect(() => device.tensor([1, 2, 3], [2, 2])).toThrow(/3 elements do not fill shape \[2, 2\]/);
    expect(() => device.tensor([[1, 2], [3]])).toThrow(/ragged/);
  });
});
