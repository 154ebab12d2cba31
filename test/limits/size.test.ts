/**
 * Tensors larger than a device's buffers: refused by a DeviceError that names the sizes, or right; never wrong. What is
 * refused leaves everything else usable, the memory in use included.
 */
import {
  add,
  concat,
  type Device,
  DeviceError,
  expand,
  mul,
  openDevice,
  sum,
  type Tensor,
} from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

interface Setup {
  readonly name: string;
  readonly kind: "cpu" | "webgpu";
  /** Replaces the device's own limit, in bytes. */
  readonly bindingBytes?: number;
}

const setups: Setup[] = [
  { name: "webgpu", kind: "webgpu" },
  { name: "cpu with 64 KiB buffers", kind: "cpu", bindingBytes: 65_536 },
  { name: "webgpu with 64 KiB buffers", kind: "webgpu", bindingBytes: 65_536 },
];

describe.each(setups)("larger than a buffer on $name", ({ kind, bindingBytes }) => {
  let device: Device;
  /** Elements of the largest float32 tensor, and one more. */
  let most: number;
  let above: number;
  beforeAll(async () => {
    device = await openDevice(kind);
    if (bindingBytes) Object.assign(device.backend!.limits, { bindingBytes });
    most = device.backend!.limits.bindingBytes / 4;
    above = most + 1;
  });
  afterAll(() => device.destroy());

  const one = (): Tensor => device.tensor(Float32Array.of(3));
  const refused = async (work: Promise<unknown>): Promise<void> => {
    const error = await work.then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(DeviceError);
    const { message } = error as Error;
    expect(message).toContain(`${above} elements`);
    expect(message).toContain(`${above * 4} bytes`);
    expect(message).toContain(`${most * 4}`);
    expect(message).toMatch(/use smaller batches or split the tensor/);
  };

  it("the largest tensor itself is right", () =>
    device.scope(async () => {
      const y = add(expand(one(), [most]), 1);
      const data = await y.data();
      expect(data.length).toBe(most);
      expect([data[0], data[most - 1], data.findIndex((v) => v !== 4)]).toEqual([4, 4, -1]);
    }));

  it("made from host data", async () => {
    const host = new Float32Array(above);
    await refused(add(device.tensor(host), 1).data());
    const x = device.tensor(host);
    await refused(sum(x).item());
  });

  it("as an op's result", async () => {
    await refused(add(expand(one(), [above]), 1).data());
    await refused(concat([device.zeros([most]), device.ones([1])]).data());
  });

  it("as the value of a variable", async () => {
    await refused(Promise.resolve().then(() => device.variable(device.zeros([above]), "wide")));
  });

  it("inside a fused chain, where it is never stored: right", async () => {
    const x = expand(one(), [above]);
    const total = await sum(mul(add(x, 1), 0.5)).item();
    expect(Math.abs(total / (2 * above) - 1)).toBeLessThan(1e-6);
  });

  it("inside a chain that has to store it", async () => {
    const x = expand(one(), [above]);
    const stored = add(mul(x, 0.5), device.arange(above, "float32"));
    // Two results read it, and it is dearer to recompute than to load.
    const deep = mul(add(mul(stored, stored), 1), add(stored, 2));
    const [a, b] = [sum(deep), sum(mul(deep, deep))];
    const read = Promise.all([a.item(), b.item()]);
    await refused(read);
  });

  it("in a captured function", async () => {
    const step = device.capture((x: Tensor) => add(expand(x, [above]), 1));
    await refused(step(one()));
    const fine = device.capture((x: Tensor) => add(x, 1));
    expect(await (await fine(one())).item()).toBe(4);
  });

  it("leaves the other tensors of the same flush right, and no memory behind", async () => {
    const before = device.memory();
    await device.scope(async () => {
      const host = device.tensor(Float32Array.of(1, 2, 3));
      const v = device.variable(device.tensor([5]), "v");
      await device.flush();
      v.assign(add(v.value, 1));
      // In one program: a leaf that is uploaded, a variable that is assigned, a result, and one too large.
      const other = mul(host, 2);
      const wide = add(expand(sum(host), [above]), v.value);
      await refused(wide.data());
      expect([...(await host.data())]).toEqual([1, 2, 3]);
      expect([...(await other.data())]).toEqual([2, 4, 6]);
      expect(await v.value.item()).toBe(6);
    });
    const after = device.memory();
    expect(after.arena).toBe(before.arena);
    // The variable keeps its 256 bytes.
    expect(after.pool - before.pool).toBeLessThanOrEqual(256);
  });

  it("a step that reads a variable sees the value of a flush that failed", async () => {
    const v = device.variable(device.tensor([1]), "v");
    const step = device.capture((x: Tensor) => mul(x, v.value));
    await step(device.tensor([10]));
    v.assign(device.tensor([7]));
    const wide = add(expand(one(), [above]), 1);
    await refused(wide.data());
    expect(await (await step(device.tensor([10]))).item()).toBe(70);
  });
});

describe("larger than a buffer on cpu", () => {
  it("refuses by its own limit", async () => {
    const device = await openDevice("cpu");
    const most = device.backend!.limits.bindingBytes / 4;
    const wide = add(expand(device.tensor([3]), [most + 1]), 1);
    await expect(wide.data()).rejects.toThrow(DeviceError);
    await expect(wide.data()).rejects.toThrow(
      `a float32 tensor of ${most + 1} elements takes ${4 * (most + 1)} bytes, more than one buffer of this device may hold (${4 * most})`,
    );
    await device.destroy();
  });
});
