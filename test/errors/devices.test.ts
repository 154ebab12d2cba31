/** Devices that are mixed, gone, unknown or not there. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  add,
  type Device,
  DeviceError,
  matmul,
  openDevice,
  StateError,
  type Tensor,
} from "@dawnstrap/tensor";
import { describe, expect, it } from "vitest";

const kinds = ["cpu", "webgpu", "reference"] as const;

describe("devices", () => {
  it("of two operands must be one", async () => {
    const [a, b] = await Promise.all([openDevice("cpu"), openDevice("reference")]);
    const [x, y] = [a.tensor([1, 2]), b.tensor([3, 4])];
    expect(() => add(x, y)).toThrowErrorMatchingInlineSnapshot(
      `[StateError: add: one operand lives on cpu, another on reference (move one: device.tensor(await x.data(), x.shape))]`,
    );
    expect(() => a.variable(y, "w")).toThrowErrorMatchingInlineSnapshot(
      `[StateError: variable w: its first value lives on another device]`,
    );
    expect(() => a.variable(x, "w").assign(y)).toThrowErrorMatchingInlineSnapshot(
      `[StateError: assign: variable w lives on another device than the value]`,
    );
    expect(() => add(x, y)).toThrow(StateError);
    const step = a.capture((t: Tensor) => add(t, 1));
    await expect(step(y)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[StateError: capture: argument 0 lives on another device (reference) than the captured function (cpu); move it: device.tensor(await x.data(), x.shape)]`,
    );
    await step(x);
    await expect(step(y)).rejects.toThrow(StateError);
    const closed = a.capture((t: Tensor) => add(t, y));
    await expect(closed(x)).rejects.toThrow(StateError);
    await Promise.all([a.destroy(), b.destroy()]);
  });

  it("of the same kind are still two", async () => {
    const [a, b] = await Promise.all([openDevice("reference"), openDevice("reference")]);
    expect(() => matmul(a.ones([2, 2]), b.ones([2, 2]))).toThrow(StateError);
  });

  it.each(["cuda", "gpu", "CPU", "", "toString"])("%j is refused by name", async (name) => {
    await expect(openDevice(name as never)).rejects.toThrow(DeviceError);
    await expect(openDevice(name as never)).rejects.toThrow(`unknown device "${name}"`);
  });
});

describe.each(kinds)("a destroyed device: %s", (kind) => {
  it("refuses every use, by its name", async () => {
    const device: Device = await openDevice(kind);
    const x = device.tensor([1, 2]);
    const y = add(x, 1);
    const v = device.variable(add(x, 2), "v");
    const step = device.capture((t: Tensor) => {
      v.assign(add(v.value, t));
      return v.value;
    });
    await step(x);
    await device.destroy();
    await device.destroy();
    const message = new RegExp(`the ${kind} device was destroyed`);
    expect(() => add(x, 1)).toThrow(message);
    expect(() => device.zeros([2])).toThrow(message);
    expect(() => device.tensor([1])).toThrow(message);
    expect(() => device.arange(2)).toThrow(message);
    expect(() => device.variable(x)).toThrow(message);
    expect(() => device.capture((t: Tensor) => t)).toThrow(message);
    await expect(device.scope(async () => 1)).rejects.toThrow(message);
    await expect(device.realize([y])).rejects.toThrow(message);
    await expect(y.data()).rejects.toThrow(message);
    await expect(x.data()).rejects.toThrow(message);
    await expect(v.value.data()).rejects.toThrow(message);
    await expect(device.flush()).rejects.toThrow(message);
    await expect(device.idle()).rejects.toThrow(message);
    await expect(step(x)).rejects.toThrow(message);
    await expect(step(x)).rejects.toThrow(DeviceError);
    expect(() => step.release()).not.toThrow();
  });

  it("waits for what is under way", async () => {
    const device: Device = await openDevice(kind);
    const read = add(device.tensor(new Float32Array(10_000).fill(1)), 1).data();
    await device.destroy();
    expect((await read)[9_999]).toBe(2);
  });
});

describe("a lost device", () => {
  it("gives one clear error from then on", async () => {
    const device = await openDevice("webgpu");
    const x = device.tensor([1, 2]);
    const y = add(x, 1);
    await y.data();
    const step = device.capture((t: Tensor) => add(t, 1));
    await step(x);
    // Beneath our feet, as a driver reset does.
    const { device: gpu } = device.backend as unknown as { device: GPUDevice };
    gpu.destroy();
    await gpu.lost;
    const lost =
      /^webgpu: the device was lost \(destroyed: .*\)\. What it held is gone: open a new device with openDevice and continue from the last checkpoint/;
    const held: Tensor[] = [];
    for (const use of [
      () => y.data(),
      () => add(x, 2).data(),
      () => {
        held.push(add(x, 4));
        return device.flush();
      },
      () => step(x),
      () => device.idle(),
      () => device.capture((t: Tensor) => add(t, 3))(x),
    ]) {
      const error = await use().then(
        () => undefined,
        (e: unknown) => e as Error,
      );
      expect(error, String(use)).toBeInstanceOf(DeviceError);
      expect(error!.message, String(use)).toMatch(lost);
    }
    await device.destroy();
  });

  it("while work is under way: rejects, does not hang", async () => {
    const device = await openDevice("webgpu");
    const x = device.tensor(new Float32Array(1_000_000));
    await add(x, 1).data();
    const { device: gpu } = device.backend as unknown as { device: GPUDevice };
    const reads = Array.from({ length: 3 }, (_, k) => add(x, k).data());
    gpu.destroy();
    for (const result of await Promise.allSettled(reads))
      if (result.status === "rejected") expect(result.reason).toBeInstanceOf(DeviceError);
    await expect(add(x, 1).data()).rejects.toThrow(/the device was lost/);
    await device.destroy();
  });
});

/** Runs a program as a process of its own; returns what it prints. */
function run(script: string, driver?: string): string {
  const { VK_DRIVER_FILES: _, VK_ICD_FILENAMES: __, ...env } = process.env;
  const child = spawnSync(
    process.execPath,
    ["--conditions=@dawnstrap/source", "--import", "tsx", "--input-type=module", "-e", script],
    {
      cwd: fileURLToPath(new URL("../", import.meta.url)),
      env: driver ? { ...env, VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver } : process.env,
      encoding: "utf8",
      timeout: 60_000,
    },
  );
  expect(child.status, child.stderr).toBe(0);
  return child.stdout.trim();
}

describe("a process", () => {
  it.each(kinds)("goes on after destroying the device %s, and ends by itself", (kind) => {
    const script = `
      import { openDevice } from "@dawnstrap/tensor";
      for (let round = 0; round < 3; round++) {
        const device = await openDevice("${kind}");
        const step = device.capture((x) => x.add(1));
        await step(device.tensor([1, 2]));
        step.release();
        await device.destroy();
      }
      console.log("done");`;
    expect(run(script)).toBe("done");
  });
});

describe("without an adapter", () => {
  it('openDevice("webgpu") says what to install, openDevice() takes the cpu', () => {
    const script = `
      import { openDevice } from "@dawnstrap/tensor";
      const found = await openDevice("webgpu").then((d) => d.description, (e) => e.name + ": " + e.message);
      const auto = await openDevice();
      console.log(JSON.stringify({ found, auto: auto.kind }));
      await auto.destroy();`;
    const { found, auto } = JSON.parse(run(script, "/nowhere/no-driver.json"));
    expect(found).toMatchInlineSnapshot(
      `"DeviceError: webgpu: no adapter found (install a Vulkan driver (on Debian 12: mesa-vulkan-drivers 24 or newer from bookworm-backports), or use --device cpu)"`,
    );
    expect(auto).toBe("cpu");
  });
});
