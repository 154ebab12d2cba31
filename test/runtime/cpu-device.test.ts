import { spawnSync } from "node:child_process";
import { afterAll, describe, expect, test } from "vitest";
import { control } from "@dawnstrap/tensor/testing";
import { openCpu, type CpuBackend, type CpuOptions } from "@dawnstrap/tensor/testing";
import { Heap } from "@dawnstrap/tensor/testing";
import { createRunner, workerMain } from "@dawnstrap/tensor/testing";
import { DeviceError } from "@dawnstrap/tensor";
import { expr as x } from "@dawnstrap/tensor/extend";
import type { Expr, Index } from "@dawnstrap/tensor/testing";
import type { BoundCall, MapKernel, Memory } from "@dawnstrap/tensor/testing";

const opened: CpuBackend[] = [];
async function open(options: CpuOptions): Promise<CpuBackend> {
  const backend = await openCpu(options);
  opened.push(backend);
  return backend;
}
afterAll(() => Promise.all(opened.map((b) => b.destroy())));

/** A call y ← f(y, a) over n elements, in place. */
function update(key: string, n: number, y: Memory, a: Memory, f: (y: Expr, a: Expr) => Expr): BoundCall {
  const [slotA, slotY] = [
    { id: 0, dtype: "float32" as const },
    { id: 1, dtype: "float32" as const },
  ];
  const i = x.index(n) as Index;
  const spec: MapKernel = {
    family: "map",
    axes: [i],
    reads: [slotA],
    outputs: [{ slot: slotY, index: i, value: f(x.load(slotY, i), x.load(slotA, i)) }],
  };
  const at = (memory: Memory, access: "read" | "update") =>
    ({ memory, byteOffset: 0, bytes: 4 * n, dtype: "float32", access }) as const;
  return { key: `${key} ${n}`, spec, bindings: [at(a, "read"), at(y, "update")] };
}

describe("memory", () => {
  test("blocks are aligned, do not overlap, and join again when freed", () => {
    const heap = new Heap(false);
    const sizes = [1, 256, 257, 70_000, 4, 1_000_000, 12];
    const blocks = sizes.map((n) => heap.allocate(n));
    for (const b of blocks) expect(b.address % 256).toBe(0);
    const sorted = [...blocks].sort((a, b) => a.address - b.address);
    sorted.forEach((b, i) => {
      if (i) expect(b.address).toBeGreaterThanOrEqual(sorted[i - 1]!.address + sorted[i - 1]!.size);
      expect(b.address).toBeGreaterThanOrEqual(control.RESERVED);
    });
    const before = heap.memory.buffer.byteLength;
    for (const i of [3, 1, 5, 0, 6, 2, 4]) heap.free(blocks[i]!);
    expect(heap.used).toBe(0);
    heap.allocate(before - control.RESERVED - 2048);
    expect(heap.memory.buffer.byteLength, "everything fits into one hole").toBe(before);
  });

  test("a thousand rounds of random sizes do not let it grow", () => {
    const heap = new Heap(false);
    let state = 12345;
    const random = (n: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 1;
      return state % n;
    };
    const live: ReturnType<Heap["allocate"]>[] = [];
    const round = (): void => {
      if (live.length > 50 || (live.length && random(2))) heap.free(live.splice(random(live.length), 1)[0]!);
      else live.push(heap.allocate(1 + random(20_000)));
    };
    for (let i = 0; i < 500; i++) round();
    const bytes = heap.memory.buffer.byteLength;
    for (let i = 0; i < 5000; i++) round();
    expect(heap.memory.buffer.byteLength).toBeLessThanOrEqual(2 * bytes);
  });

  test("running out names the sizes; freeing twice is an error", async () => {
    const backend = await open({ threads: 1, maxBytes: 4 * 2 ** 20 });
    const first = backend.allocate(2 * 2 ** 20);
    expect(() => backend.allocate(3 * 2 ** 20)).toThrow(DeviceError);
    expect(() => backend.allocate(3 * 2 ** 20)).toThrow(
      /3\.0 MiB asked for, 2\.0 MiB in use, the limit is 4\.0 MiB/,
    );
    backend.free(first);
    expect(() => backend.free(first)).toThrow(/twice/);
    backend.free(backend.allocate(3 * 2 ** 20));
    expect(() => backend.allocate(2 ** 31)).toThrow(/above the limit/);
  });

  test("write, copy and read; a read is a copy; ranges are checked", async () => {
    const backend = await open({ threads: 1, shared: false });
    const [a, b] = [backend.allocate(64), backend.allocate(64)];
    backend.write(a, 8, Float32Array.of(1, 2, 3));
    backend.copy(a, 12, b, 0, 8);
    const read = await backend.read(b, 0, 8);
    expect([...new Float32Array(read)]).toEqual([2, 3]);
    backend.write(b, 0, Float32Array.of(9));
    expect([...new Float32Array(read)]).toEqual([2, 3]);
    await expect(backend.read(b, 250, 8)).rejects.toThrow(/internal/);
  });

  test("memory may grow between preparing a program and running it", async () => {
    for (const options of [{ threads: 2 }, { threads: 1, shared: false }]) {
      const backend = await open(options);
      const n = 100_000;
      const [a, y] = [backend.allocate(4 * n), backend.allocate(4 * n)];
      const program = await backend.prepare([update("add", n, y, a, x.add)]);
      backend.write(a, 0, new Float32Array(n).fill(2));
      backend.write(y, 0, new Float32Array(n).fill(1));
      const far = backend.allocate(300 * 2 ** 20);
      const onFar = await backend.prepare([update("add", n, far, a, x.add)]);
      backend.copy(y, 0, far, 0, 4 * n);
      program.run();
      onFar.run();
      for (const memory of [y, far])
        expect(new Float32Array(await backend.read(memory, 0, 4 * n)).every((v) => v === 3)).toBe(true);
      backend.free(far);
    }
  });
});

describe("programs", () => {
  test("long chains of large and tiny kernels give the same bits on 1, 2, 3 and 5 threads", async () => {
    const results: Uint8Array[] = [];
    for (const options of [
      { threads: 1 },
      { threads: 1, shared: false },
      { threads: 2 },
      { threads: 3 },
      { threads: 5 },
    ]) {
      const backend = await open(options);
      const [big, small] = [200_003, 37];
      const [a, y] = [backend.allocate(4 * big), backend.allocate(4 * big)];
      backend.write(
        a,
        0,
        Float32Array.from({ length: big }, (_, i) => Math.fround(Math.sin(i))),
      );
      backend.write(y, 0, new Float32Array(big).fill(1));
      const calls = Array.from({ length: 40 }, (_, i) =>
        i % 3 === 2
          ? update("tiny", small, a, y, (p, q) => x.sub(p, x.mul(q, x.f32(0.01))))
          : update(`big ${i % 2}`, big, y, a, (p, q) => x.add(x.mul(p, x.f32(i % 2 ? 0.9 : 1.1)), q)),
      );
      const program = await backend.prepare(calls);
      for (let run = 0; run < 10; run++) program.run();
      results.push(new Uint8Array(await backend.read(y, 0, 4 * big)));
      expect(backend.counters.dispatches).toBe(400);
      expect(backend.counters.submits).toBe(10);
      program.release();
      expect(() => program.run()).toThrow(DeviceError);
    }
    for (const r of results) expect(Buffer.compare(r, results[0]!)).toBe(0);
  });

  test("several programs in turn, prepared while others run, with pauses in which the workers sleep", async () => {
    const backend = await open({ threads: 2 });
    const n = 60_000;
    const [a, y] = [backend.allocate(4 * n), backend.allocate(4 * n)];
    backend.write(a, 0, new Float32Array(n).fill(1));
    backend.write(y, 0, new Float32Array(n));
    let total = 0;
    let previous: { run(): void; release(): void } | undefined;
    for (let round = 1; round <= 20; round++) {
      const preparing = backend.prepare([
        update(`plus ${round}`, n, y, a, (p, q) => x.add(p, x.mul(q, x.f32(round)))),
      ]);
      if (round > 1) {
        previous!.run();
        total += round - 1;
      }
      const program = await preparing;
      program.run();
      total += round;
      if (round % 5 === 0) await new Promise((done) => setTimeout(done, 20));
      previous?.release();
      previous = program;
    }
    expect(new Set(new Float32Array(await backend.read(y, 0, 4 * n)))).toEqual(new Set([total]));
  });
  test("kernels are compiled once per key and size", async () => {
    const backend = await open({ threads: 1 });
    const [a, y] = [backend.allocate(4096), backend.allocate(4096)];
    await backend.prepare([update("k", 10, y, a, x.add), update("k", 10, y, a, x.add)]);
    await backend.prepare([update("k", 10, y, a, x.add)]);
    expect(backend.counters.kernels).toBe(1);
  });

  test("an empty program runs", async () => {
    const program = await (await open({ threads: 2 })).prepare([]);
    expect(() => program.run()).not.toThrow();
  });

  test("a trap becomes a DeviceError that names the kernel, on any thread, and the device lives on", async () => {
    for (const threads of [1, 2]) {
      const backend = await open({ threads });
      const n = 100_000;
      const [a, y] = [backend.allocate(4 * n), backend.allocate(4 * n)];
      const call = update("bad kernel", n, y, a, x.add);
      // A lie about the size: the binding claims far more than the memory holds.
      const wide = update("bad kernel", 100_000_000, y, a, x.add);
      const bad = await backend.prepare([wide]);
      expect(() => bad.run()).toThrow(DeviceError);
      expect(() => bad.run()).toThrow(/bad kernel 100000000/);
      const good = await backend.prepare([call]);
      expect(() => good.run()).not.toThrow();
    }
  });

  test("freed memory and a destroyed device are refused", async () => {
    const backend = await open({ threads: 1 });
    const [a, y] = [backend.allocate(64), backend.allocate(64)];
    const program = await backend.prepare([update("k", 10, y, a, x.add)]);
    backend.free(a);
    expect(() => program.run()).toThrow(/freed/);
    await backend.destroy();
    expect(() => backend.allocate(4)).toThrow(DeviceError);
    await expect(backend.prepare([])).rejects.toThrow(DeviceError);
  });
});

describe("threads", () => {
  test("options are checked; without shared memory there is one thread", async () => {
    for (const threads of [0, -1, 1.5, 1000]) await expect(openCpu({ threads })).rejects.toThrow(DeviceError);
    expect((await open({ threads: 4, shared: false })).threads).toBe(1);
    expect((await open({ threads: 2 })).description).toMatch(/2 threads/);
  });

  test("a worker that ends without an error is noticed, by what runs and by what waits", async () => {
    const backend = await open({ threads: 3 });
    const n = 100_000;
    const [a, y] = [backend.allocate(4 * n), backend.allocate(4 * n)];
    const program = await backend.prepare([update("add", n, y, a, x.add)]);
    program.run();
    const { workers } = backend.pool as unknown as { workers: { terminate(): Promise<unknown> }[] };
    const waiting = backend.prepare([update("add more", n, y, a, x.sub)]);
    await workers[1]!.terminate();
    for (const failed of [waiting, backend.prepare([update("less", n, y, a, x.mul)])]) {
      await expect(failed).rejects.toThrow(DeviceError);
      await expect(failed).rejects.toThrow(/a worker thread failed: it ended with code 1/);
    }
    expect(() => program.run()).toThrow(/a worker thread failed: it ended with code 1/);
  });

  test("a thread does not wait without end for one that never comes", () => {
    const words = new Int32Array(new SharedArrayBuffer(4096));
    const runner = createRunner(words, 0, 2, true, 10);
    expect(() => runner.execute(new Int32Array(0), true)).toThrow(/has not answered for 0.01 seconds/);
  });

  test("control words agree with the numbers inside the worker's source", () => {
    const source = createRunner.toString() + workerMain.toString();
    for (const [name, value] of Object.entries(control)) {
      const found = source.match(new RegExp(`(?:const|let|var) ${name} = (\\d+)`))?.[1];
      if (found !== undefined) expect(Number(found), name).toBe(value);
    }
    expect(source).toMatch(/ARRIVED = 2/);
  });

  test("idle workers neither burn time nor keep the process alive", () => {
    const script = `
      const { openCpu } = await import("@dawnstrap/tensor/testing");
      const backend = await openCpu({ threads: 3 });
      const before = process.cpuUsage();
      await new Promise((done) => setTimeout(done, 400));
      const used = process.cpuUsage(before);
      console.log(JSON.stringify({ milliseconds: (used.user + used.system) / 1000 }));`;
    const result = spawnSync(
      process.execPath,
      ["--conditions=@dawnstrap/source", "--import", "tsx", "--input-type=module", "-e", script],
      { encoding: "utf8", timeout: 60_000 },
    );
    expect(result.status, result.stderr).toBe(0);
    expect(JSON.parse(result.stdout).milliseconds).toBeLessThan(200);
  });
});
