/**
 * Speed of the cpu device's hand-written kernels in GFLOP/s, on one thread and on two.
 * `node --conditions=@dawnstrap/source --import tsx bench/wasm-families.ts [filter]`
 */
import { openCpu, type CpuBackend } from "@dawnstrap/tensor/testing";
import type { ConvParams } from "../packages/tensor/src/kernels/wasm/products/params.js";
import { conv, convSizes } from "../packages/tensor/src/kernels/wasm/products/testing.js";

interface Case {
  readonly name: string;
  readonly family: string;
  readonly params: Record<string, unknown>;
  readonly reads: readonly number[];
  readonly output: number;
  readonly flops: number;
}

const gemm = (m: number, n: number, k: number, transA = false, transB = false): Case => ({
  name: `gemm ${m}×${n}×${k}${transA ? " Aᵀ" : ""}${transB ? " Bᵀ" : ""}`,
  family: "gemm",
  params: { m, n, k, transA, transB, batchShape: [], aStrides: [], bStrides: [] },
  reads: [m * k, n * k],
  output: m * n,
  flops: 2 * m * n * k,
});

function convolutions(label: string, p: ConvParams): Case[] {
  const s = convSizes(p);
  const flops = 2 * p.batch * p.outH * p.outW * p.outC * p.kh * p.kw * (p.inC / p.groups);
  // As the op cuts its rows: enough shares for some hundred work items.
  const rows = p.batch * p.outH * p.outW;
  const splits = Math.max(1, Math.min(Math.ceil(256 / Math.max(1, s.w / 32)), Math.floor(rows / 64)));
  return [
    { name: `${label} forward`, family: "conv2d", params: { ...p }, reads: [s.x, s.w], output: s.y, flops },
    {
      name: `${label} input grad`,
      family: "conv2dInputGrad",
      params: { ...p },
      reads: [s.y, s.w],
      output: s.x,
      flops,
    },
    {
      name: `${label} weight grad`,
      family: "conv2dWeightGrad",
      params: { ...p, splits },
      reads: [s.x, s.y],
      output: splits * s.w,
      flops,
    },
  ];
}

const same = { padding: [1, 1, 1, 1] as const };
const cases: Case[] = [
  ...[256, 512, 1024].map((n) => gemm(n, n, n)),
  gemm(512, 512, 512, true),
  gemm(512, 512, 512, false, true),
  gemm(128, 256, 128),
  gemm(128, 64, 256),
  gemm(256, 64, 128, true),
  gemm(128, 128, 256, false, true),
  ...convolutions("3×3 1→16 28×28 b128", conv(128, [28, 28], [1, 16], [3, 3], same)),
  ...convolutions("3×3 16→16 28×28 b128", conv(128, [28, 28], [16, 16], [3, 3], same)),
  ...convolutions(
    "3×3/2 16→32 28×28 b128",
    conv(128, [28, 28], [16, 32], [3, 3], { ...same, stride: [2, 2] }),
  ),
  ...convolutions("1×1/2 16→32 28×28 b128", conv(128, [28, 28], [16, 32], [1, 1], { stride: [2, 2] })),
  ...convolutions("3×3 32→32 14×14 b128", conv(128, [14, 14], [32, 32], [3, 3], same)),
  ...convolutions("3×3 64→64 7×7 b128", conv(128, [7, 7], [64, 64], [3, 3], same)),
  ...convolutions("3×3 128→128 4×4 b128", conv(128, [4, 4], [128, 128], [3, 3], same)),
  ...convolutions("3×3 64→64 32×32 b32", conv(32, [32, 32], [64, 64], [3, 3], same)),
  ...convolutions(
    "3×3/2 64→128 32×32 b32",
    conv(32, [32, 32], [64, 128], [3, 3], { ...same, stride: [2, 2] }),
  ),
  ...convolutions("3×3 256→256 8×8 b32", conv(32, [8, 8], [256, 256], [3, 3], same)),
  ...convolutions("3×3 512→512 4×4 b32", conv(32, [4, 4], [512, 512], [3, 3], same)),
];

interface Measured {
  /** Wall-clock milliseconds of a run: the first quartile. */
  readonly ms: number;
  /** Milliseconds of processor time per run, all threads together: what a busy machine disturbs less. */
  readonly cpu: number;
}

async function measure(backend: CpuBackend, c: Case): Promise<Measured> {
  const sizes = [...c.reads, c.output];
  const blocks = sizes.map((n) => backend.allocate(4 * n));
  blocks.forEach((b, i) => {
    backend.write(
      b,
      0,
      Float32Array.from({ length: sizes[i]! }, (_, k) => ((k * 7919) % 1009) / 1009 - 0.5),
    );
  });
  const bindings = blocks.map((memory, i) => ({
    memory,
    byteOffset: 0,
    bytes: 4 * sizes[i]!,
    dtype: "float32" as const,
    access: i < c.reads.length ? ("read" as const) : ("write" as const),
  }));
  const program = await backend.prepare([
    { key: `${c.family}${JSON.stringify(c.params)}`, spec: { family: c.family, params: c.params }, bindings },
  ]);
  // Long enough for the engine's optimising compiler to have finished.
  for (let began = performance.now(); performance.now() - began < 60; ) program.run();
  await new Promise((done) => setTimeout(done, 20));
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let began = performance.now(); performance.now() - began < 250 || times.length < 5; ) {
    const start = performance.now();
    program.run();
    times.push(performance.now() - start);
  }
  const used = process.cpuUsage(before);
  program.release();
  for (const b of blocks) backend.free(b);
  times.sort((a, b) => a - b);
  return { ms: times[Math.floor(times.length / 4)]!, cpu: (used.user + used.system) / 1000 / times.length };
}

const filter = process.argv[2] ?? "";
const backends = [await openCpu({ threads: 1 }), await openCpu({ threads: 2 })];
for (const c of cases) {
  if (!c.name.includes(filter)) continue;
  const columns: string[] = [];
  for (const backend of backends) {
    const { ms, cpu } = await measure(backend, c);
    const rate = (t: number): string => (c.flops / t / 1e6).toFixed(1).padStart(6);
    columns.push(`${rate(ms)} GFLOP/s, ${rate(cpu)} per core ${ms.toFixed(3).padStart(8)} ms`);
  }
  console.log(`${c.name.padEnd(36)} ${columns.join("   |  ")}`);
}
await Promise.all(backends.map((b) => b.destroy()));
