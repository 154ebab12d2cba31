import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DeviceError } from "@dawnstrap/tensor";
import { openWebGpu, type WebGpuBackend } from "@dawnstrap/tensor/testing";
import { expr } from "@dawnstrap/tensor/extend";
import type { Access, BoundCall, MapKernel, Memory } from "@dawnstrap/tensor/testing";

const { i32, index, load, mul } = expr;

// Fails, and says what to install, where there is no adapter: see scripts/adapter.mjs.
let backend: WebGpuBackend;
beforeAll(async () => {
  backend = await openWebGpu();
});
afterAll(() => backend.destroy());

const from = (values: number[]): Memory => {
  const memory = backend.allocate(values.length * 4);
  backend.write(memory, 0, Int32Array.from(values));
  return memory;
};
const ints = async (memory: Memory, count: number, offset = 0): Promise<number[]> => [
  ...new Int32Array(await backend.read(memory, offset, count * 4)),
];

let slots = 0;
/** out[i] = in[i] · factor over windows of `n` elements. */
function scale(n: number, factor: number, windows: [Memory, number, Access][]): BoundCall {
  const [a, y] = [0, 1].map(() => ({ id: slots++, dtype: "int32" as const }));
  const i = index(n);
  const spec: MapKernel = {
    family: "map",
    axes: [i],
    reads: [a!],
    outputs: [{ slot: y!, index: i, value: mul(load(a!, i), i32(factor)) }],
  };
  const bindings = windows.map(([memory, byteOffset, access]) => ({
    ...{ memory, byteOffset, access, bytes: n * 4 },
    dtype: "int32" as const,
  }));
  return { key: `scale ${n} by ${factor}`, spec, bindings };
}

describe("memory", () => {
  test("bytes go out and come back, whatever their number", async () => {
    for (const n of [1, 2, 3, 4, 5, 1000, 70_001]) {
      const data = Uint8Array.from({ length: n }, (_, k) => k * 31);
      const memory = backend.allocate(n);
      backend.write(memory, 0, data);
      const back = new Uint8Array(await backend.read(memory, 0, Math.ceil(n / 4) * 4));
      expect(back.subarray(0, n)).toEqual(data);
      backend.free(memory);
    }
  });

  test("copies between memories, and within one", async () => {
    const a = from([1, 2, 3, 4, 5, 6, 7, 8]);
    const b = from([0, 0, 0, 0]);
    backend.copy(a, 8, b, 4, 8);
    expect(await ints(b, 4)).toEqual([0, 3, 4, 0]);
    backend.copy(a, 0, a, 16, 16);
    expect(await ints(a, 8)).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
  });

  test("reads that overlap in time see the state they were asked at", async () => {
    const a = from([1]);
    const first = ints(a, 1);
    backend.write(a, 0, Int32Array.of(2));
    const second = ints(a, 1);
    expect(await Promise.all([first, second])).toEqual([[1], [2]]);
  });

  test("an allocation beyond the limit is refused by name", () => {
    expect(() => backend.allocate(2 ** 45)).toThrow(/35184372088832 bytes asked for; one allocation holds/);
  });
});

describe("programs", () => {
  test("calls run in order, and a second run starts from where the first ended", async () => {
    const [a, b] = [from([1, 2, 3]), from([0, 0, 0])];
    const program = await backend.prepare([
      scale(3, 2, [
        [a, 0, "read"],
        [b, 0, "write"],
      ]),
      scale(3, 5, [
        [b, 0, "read"],
        [a, 0, "write"],
      ]),
    ]);
    program.run();
    expect(await ints(a, 3)).toEqual([10, 20, 30]);
    program.run();
    expect(await ints(a, 3)).toEqual([100, 200, 300]);
    program.release();
  });

  test("windows start where they are told", async () => {
    const [a, b] = [backend.allocate(1024), backend.allocate(1024)];
    backend.write(a, 512, Int32Array.of(7, 8));
    const program = await backend.prepare([
      scale(2, 3, [
        [a, 512, "read"],
        [b, 256, "write"],
      ]),
    ]);
    program.run();
    expect(await ints(b, 2, 256)).toEqual([21, 24]);
  });

  test("kernels are compiled once, bind groups are made once, a run makes nothing", async () => {
    const [a, b] = [from([1, 2, 3, 4]), from([0, 0, 0, 0])];
    const before = { ...backend.counters };
    const calls = [
      scale(4, 11, [
        [a, 0, "read"],
        [b, 0, "write"],
      ]),
      scale(4, 11, [
        [a, 0, "read"],
        [b, 0, "write"],
      ]),
    ];
    const program = await backend.prepare(calls);
    const prepared = { ...backend.counters };
    expect(prepared.kernels - before.kernels).toBe(1);
    expect(prepared.bindGroups - before.bindGroups).toBe(1);
    for (let k = 0; k < 10; k++) program.run();
    expect(backend.counters).toEqual({
      ...prepared,
      dispatches: prepared.dispatches + 20,
      submits: prepared.submits + 10,
    });
    await backend.prepare(calls);
    expect(backend.counters.kernels).toBe(prepared.kernels);
  });

  test("long programs are submitted in pieces and stay in order", async () => {
    const [a, b] = [from([1]), from([0])];
    const one = (k: number): BoundCall =>
      k % 2
        ? scale(1, -1, [
            [b, 0, "read"],
            [a, 0, "write"],
          ])
        : scale(1, 1, [
            [a, 0, "read"],
            [b, 0, "write"],
          ]);
    const program = await backend.prepare(Array.from({ length: 302 }, (_, k) => one(k)));
    program.run();
    expect(await ints(a, 1)).toEqual([-1]);
  });

  test("progress is reported for each call", async () => {
    const [a, b] = [from([1]), from([0])];
    const seen: string[] = [];
    const calls = [5, 6, 7].map((f) =>
      scale(1, f, [
        [a, 0, "read"],
        [b, 0, "write"],
      ]),
    );
    await backend.prepare(calls, (done, total) => seen.push(`${done}/${total}`));
    expect(seen).toEqual(["1/3", "2/3", "3/3"]);
  });

  test("a memory that is read and written by one call is refused, with the call's name", async () => {
    const a = backend.allocate(1024);
    const call = scale(4, 2, [
      [a, 0, "read"],
      [a, 512, "write"],
    ]);
    await expect(backend.prepare([call])).rejects.toThrow(
      /scale 4 by 2 binds one buffer twice: read at 0 .*write at 512/,
    );
  });
});

describe("errors", () => {
  test("a software adapter is refused where hardware is required", async () => {
    if (!backend.isSoftware) return;
    await expect(openWebGpu({ requireHardware: true })).rejects.toThrow(
      /only a software adapter found.*--device cpu/,
    );
  });

  test("an error on the device's timeline is thrown by the next wait, once", async () => {
    const a = from([1]);
    backend.write(a, 4096, Int32Array.of(1));
    await expect(backend.idle()).rejects.toThrow(DeviceError);
    await backend.idle();
    expect(await ints(a, 1)).toEqual([1]);
  });

  test("after the device is lost every call says so, and what to do", async () => {
    const doomed = await openWebGpu();
    const memory = doomed.allocate(16);
    const { device } = doomed as unknown as { device: GPUDevice };
    device.destroy();
    await device.lost;
    const lost = /the device was lost .*open a new device/;
    expect(() => doomed.allocate(16)).toThrow(lost);
    expect(() => doomed.write(memory, 0, Int32Array.of(1))).toThrow(lost);
    await expect(doomed.idle()).rejects.toThrow(lost);
    await expect(doomed.read(memory, 0, 4)).rejects.toThrow(lost);
    await expect((async () => doomed.prepare([]))()).rejects.toThrow(lost);
    await doomed.destroy();
  });

  test("a program outlives its device's loss with the same error", async () => {
    const doomed = await openWebGpu();
    const program = await doomed.prepare([]);
    const { device } = doomed as unknown as { device: GPUDevice };
    device.destroy();
    await device.lost;
    expect(() => program.run()).toThrow(/the device was lost/);
    await doomed.destroy();
  });

  test("a destroyed device says so", async () => {
    const gone = await openWebGpu();
    await gone.destroy();
    await gone.destroy();
    expect(() => gone.allocate(4)).toThrow(/the device was destroyed/);
  });
});
