/** What a failure leaves behind: everything that did not depend on it, and never a wrong value. */
import { add, type Device, mul, openDevice, relu, sum, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const kinds = ["cpu", "webgpu", "reference"] as const;

describe.each(kinds)("after a failure on %s", (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(kind);
  });
  afterAll(() => device.destroy());

  const vector = (...values: number[]): Tensor => device.tensor(Float32Array.from(values));
  const values = async (t: Tensor): Promise<number[]> => [...(await t.float64())];

  it("a captured function that throws leaves the variables as they were", async () => {
    const v = device.variable(vector(1, 2), "v");
    const step = device.capture((x: Tensor) => {
      v.assign(mul(v.value, x));
      v.assign(add(v.value, 1));
      throw new RangeError("in the middle");
    });
    await expect(step(vector(5, 5))).rejects.toThrow(/in the middle/);
    expect(await values(v.value)).toEqual([1, 2]);
    v.assign(add(v.value, 1));
    expect(await values(v.value)).toEqual([2, 3]);
  });

  it("a captured function with a wrong result leaves the variables as they were, and may be called again", async () => {
    const v = device.variable(vector(1), "v");
    let wrong = true;
    const step = device.capture((x: Tensor) => {
      v.assign(add(v.value, x));
      return (wrong ? { no: "tensor" } : v.value) as Tensor;
    });
    await expect(step(vector(5))).rejects.toThrow(/must return a tensor, an array of tensors, or nothing/);
    expect(await values(v.value)).toEqual([1]);
    wrong = false;
    expect(await values(await step(vector(5)))).toEqual([6]);
  });

  it("an asynchronous captured function is refused", async () => {
    const step = device.capture((async (x: Tensor) => x) as unknown as (x: Tensor) => Tensor);
    await expect(step(vector(1))).rejects.toThrow(/the function is asynchronous; record synchronously/);
  });

  it("refuses to assign an overwritten value", async () => {
    const v = device.variable(vector(1), "v");
    await device.flush();
    const old = v.value;
    v.assign(add(v.value, 1));
    await device.flush();
    expect(() => v.assign(old)).toThrow(/overwritten by a later value of variable v/);
    expect(await values(v.value)).toEqual([2]);
  });

  it("a captured function keeps the constants that it read, whatever becomes of their handles", async () => {
    const step = device.capture((x: Tensor) => mul(x, constant!));
    let constant: Tensor | undefined;
    await device.scope(async () => {
      constant = add(vector(2, 3), 1);
      expect(await values(await step(vector(10, 10)))).toEqual([30, 40]);
    });
    // Were its memory free, these would take it.
    const others = Array.from({ length: 20 }, (_, k) => add(vector(k, k), 100));
    await device.flush();
    expect(await values(await step(vector(10, 10)))).toEqual([30, 40]);
    expect(await values(others[19]!)).toEqual([119, 119]);
  });

  it("takes arguments that were recorded, and consumed, but not computed", async () => {
    const step = device.capture((x: Tensor) => add(x, 1));
    const y = mul(vector(1, 2), 3);
    const z = relu(y);
    expect(await values(await step(y))).toEqual([4, 7]);
    expect(await values(z)).toEqual([3, 6]);
    expect(await values(await step(mul(y, 2)))).toEqual([7, 13]);
  });

  it("releasing a captured function frees its memory and its results", async () => {
    await device.flush();
    const make = async (): Promise<Tensor> => {
      const constant = vector(3, 4);
      const step = device.capture((x: Tensor) => [sum(relu(x)), mul(x, constant), constant] as const);
      const [, last] = await step(vector(1, 2));
      expect(await values(last)).toEqual([3, 8]);
      step.release();
      return last;
    };
    await device.scope(make);
    const before = device.memory();
    for (let i = 0; i < 5; i++) await device.scope(make);
    // Results of earlier tests may be collected in between, so there may be less than before, never more.
    const after = device.memory();
    expect(after.arena).toBe(before.arena);
    expect(after.pool).toBeLessThanOrEqual(before.pool);
    expect(after.live).toBeLessThanOrEqual(before.live);
    if (device.backend)
      await device.scope(async () => {
        await expect((await make()).data()).rejects.toThrow(/released/);
      });
  });
});

describe.each(["cpu", "webgpu"] as const)("a program that fails on %s", (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(kind);
  });
  afterAll(() => device.destroy());

  /** The next program fails while its kernels are compiled, or while it runs. */
  function failNext(when: "prepare" | "run"): void {
    const backend = device.backend!;
    const original = backend.prepare.bind(backend);
    backend.prepare = async (calls, onProgress) => {
      backend.prepare = original;
      if (when === "prepare") throw new Error("no such instruction");
      const program = await original(calls, onProgress);
      program.run = () => {
        throw new Error("no such instruction");
      };
      return program;
    };
  }

  it.each(["prepare", "run"] as const)("in %s: its results are refused, not read", async (when) => {
    const [a, b] = [device.tensor([1, 2]), device.tensor([3, 4])];
    const v = device.variable(device.tensor([7]), "v");
    await device.flush();
    failNext(when);
    v.assign(add(v.value, 1));
    const c = add(a, b);
    await expect(c.data()).rejects.toThrow(/no such instruction/);
    await expect(c.data()).rejects.toThrow(/never computed, because its program failed: no such instruction/);
    await expect(mul(c, 2).data()).rejects.toThrow(/never computed/);
    await expect(v.value.data()).rejects.toThrow(/never computed/);
    // What it read is as it was, and a variable lives again when it gets a value.
    expect([...(await a.data()), ...(await b.data())]).toEqual([1, 2, 3, 4]);
    v.assign(device.tensor([9]));
    expect(await v.value.item()).toBe(9);
    expect([...(await add(a, b).data())]).toEqual([4, 6]);
  });

  it("that nobody waited for is not read either", async () => {
    const a = add(device.tensor([1, 2]), 1);
    failNext("prepare");
    const flushed = device.flush();
    const read = a.data();
    await expect(flushed).rejects.toThrow(/no such instruction/);
    await expect(read).rejects.toThrow(/never computed/);
  });

  it("in a replay: its variables and results are refused", async () => {
    const v = device.variable(device.tensor([1]), "v");
    await device.flush();
    failNext("run");
    const step = device.capture((x: Tensor) => {
      v.assign(add(v.value, x));
      return mul(v.value, 2);
    });
    await expect(step(device.tensor([1]))).rejects.toThrow(/no such instruction/);
    await expect(v.value.data()).rejects.toThrow(/never computed/);
  });

  it("leaves its scratch memory to others", async () => {
    await device.flush();
    const work = async (): Promise<void> => {
      const x = device.tensor(new Float32Array(50_000));
      failNext("prepare");
      await expect(sum(mul(x, x)).item()).rejects.toThrow(/no such instruction/);
    };
    await device.scope(work);
    const before = device.memory();
    for (let i = 0; i < 3; i++) await device.scope(work);
    expect(device.memory()).toEqual(before);
  });
});
