/**
 * How fast the CPU can be at all through WebAssembly: multiplications and additions of 128-bit vectors that never leave
 * the registers, on every thread at once. Where the engine has relaxed SIMD, fused multiply-adds are tried as well.
 */
import { Worker } from "node:worker_threads";

export interface Limit {
  /** GFLOP/s of all threads together, by separate multiplications and additions. */
  readonly mulAdd: number;
  /** The same by fused multiply-adds; null where the engine has none. */
  readonly fused: number | null;
}

const V128 = 0x7b;
const [I32, F32] = [0x7f, 0x7d];
const simd = (...code: number[]): number[] => [0xfd, ...code];
const f32x4 = { mul: simd(0xe6, 0x01), add: simd(0xe4, 0x01), madd: simd(0x85, 0x02) } as const;
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const splat = (x: number): number[] => [0x43, ...new Uint8Array(Float32Array.of(x).buffer), ...simd(0x13)];

/** Chains that do not depend on each other: enough to cover the latency, few enough for sixteen registers. */
const CHAINS = { mulAdd: 6, fused: 10 } as const;
const LANES = 4;

/** `run(n)` of the loop; local 0 counts, then come the vectors. Returns a lane, so that nothing is dropped. */
function moduleOf(kind: keyof typeof CHAINS): Uint8Array<ArrayBuffer> {
  const chains = CHAINS[kind];
  const [factor, term] = [1, 2];
  const x = (k: number): number => 3 + k;
  const sum = (k: number): number => 3 + chains + k;
  const all = Array.from({ length: chains }, (_, k) => k);
  const step =
    kind === "fused"
      ? all.flatMap((k) => [...get(x(k)), ...get(factor), ...get(term), ...f32x4.madd, ...set(x(k))])
      : all.flatMap((k) => [
          ...[...get(x(k)), ...get(factor), ...f32x4.mul, ...set(x(k))],
          ...[...get(sum(k)), ...get(x(k)), ...f32x4.add, ...set(sum(k))],
        ]);
  const vectors = 2 + 2 * chains;
  const results = [...all.map(x), ...all.map(sum)];
  const body = [
    ...[1, vectors, V128],
    ...[...splat(1.0000001), ...set(factor), ...splat(1e-7), ...set(term)],
    ...all.flatMap((k) => [...splat(1 + k / 16), ...set(x(k))]),
    ...[0x03, 0x40, ...step], // loop
    ...[...get(0), 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b], // until --n is 0
    ...get(results[0]!),
    ...results.slice(1).flatMap((local) => [...get(local), ...f32x4.add]),
    ...simd(0x1f, 0),
    0x0b,
  ];
  const sized = (bytes: number[]): number[] => [...leb(bytes.length), ...bytes];
  const section = (id: number, bytes: number[]): number[] => [id, ...sized(bytes)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 1, I32, 1, F32]),
    ...section(3, [1, 0]),
    ...section(7, [1, 3, ...new TextEncoder().encode("run"), 0, 0]),
    ...section(10, [1, ...sized(body)]),
  ]);
}

function leb(n: number): number[] {
  return n < 128 ? [n] : [(n & 127) | 128, ...leb(n >> 7)];
}

/** Every worker warms up, waits for the others, and runs the loop for the same number of turns. */
const worker = `
const { parentPort, workerData } = require("node:worker_threads");
const { run } = new WebAssembly.Instance(new WebAssembly.Module(workerData.bytes)).exports;
for (let i = 0; i < 40; i++) run(100000);
parentPort.postMessage("ready");
parentPort.on("message", (turns) => {
  const start = performance.now();
  const value = run(turns);
  parentPort.postMessage({ ms: performance.now() - start, value });
});`;

async function rateOf(kind: keyof typeof CHAINS, threads: number): Promise<number> {
  const bytes = moduleOf(kind);
  const workers = Array.from(
    { length: threads },
    () => new Worker(worker, { eval: true, workerData: { bytes } }),
  );
  const replies = (): Promise<unknown[]> =>
    Promise.all(
      workers.map(
        (w) =>
          new Promise((resolve, reject) => {
            w.once("message", resolve);
            w.once("error", reject);
          }),
      ),
    );
  try {
    await replies();
    const turns = 10_000_000;
    let best = 0;
    for (let round = 0; round < 5; round++) {
      const done = replies() as Promise<{ ms: number }[]>;
      for (const w of workers) w.postMessage(turns);
      // Multiplication and addition are two operations on each lane.
      const flops = 2 * LANES * CHAINS[kind] * turns;
      best = Math.max(
        best,
        (await done).reduce((total, { ms }) => total + flops / ms / 1e6, 0),
      );
    }
    return best;
  } finally {
    await Promise.all(workers.map((w) => w.terminate()));
  }
}

export async function measureLimit(threads: number): Promise<Limit> {
  const mulAdd = await rateOf("mulAdd", threads);
  return { mulAdd, fused: WebAssembly.validate(moduleOf("fused")) ? await rateOf("fused", threads) : null };
}
