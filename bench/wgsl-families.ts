/**
 * Speed of the hand-written WGSL kernels on the adapter at hand.
 *
 *     node --conditions=@dawnstrap/source --import tsx bench/wgsl-families.ts [--only TEXT] [--kernels lanes|plain|tiles]
 *
 * The first column is the processor time of compiling and the first run. Mesa keeps compiled kernels in a cache on disk:
 * MESA_SHADER_CACHE_DISABLE=true shows the cost of compiling. Then GFLOP/s by the clock, and, since a software adapter shares its cores with whatever else runs, by processor time: what
 * the clock would show if all cores were its own.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { type KernelStyle, openWebGpu } from "@dawnstrap/tensor/testing";
import type { BoundCall } from "@dawnstrap/tensor/testing";

const { values } = parseArgs({ options: { only: { type: "string" }, kernels: { type: "string" } } });

interface Job {
  readonly name: string;
  readonly family: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Elements of each binding; the last one is written. */
  readonly elements: readonly number[];
  readonly flops: number;
}

function gemm(m: number, n: number, k: number, transA = false, transB = false): Job {
  const params = { m, n, k, transA, transB, batchShape: [], aStrides: [], bStrides: [] };
  const name = `gemm ${m}×${n}×${k}${transA ? " Aᵀ" : ""}${transB ? " Bᵀ" : ""}`;
  return { name, family: "gemm", params, elements: [m * k, k * n, m * n], flops: 2 * m * n * k };
}

function conv(batch: number, size: number, inC: number, outC: number, k: number, stride = 1): Job[] {
  const pad = Math.floor(k / 2);
  const out = Math.floor((size + 2 * pad - k) / stride) + 1;
  const params = {
    ...{
      batch,
      h: size,
      w: size,
      inC,
      outC,
      kh: k,
      kw: k,
      strideH: stride,
      strideW: stride,
      dilationH: 1,
      dilationW: 1,
    },
    ...{ padTop: pad, padLeft: pad, outH: out, outW: out, groups: 1 },
  };
  const [x, w, y] = [batch * size * size * inC, k * k * inC * outC, batch * out * out * outC];
  const flops = 2 * y * k * k * inC;
  // As the op's lowering does for an adapter with 2,048 items of parallelism.
  const splits = Math.max(1, Math.min(Math.ceil(2048 / (w / 32)), Math.floor((batch * out * out) / 64)));
  const name = `${k}×${k} ${inC}→${outC} ${size}×${size}/${stride} b${batch}`;
  return [
    { name: `conv2d ${name}`, family: "conv2d", params, elements: [x, w, y], flops },
    { name: `inputGrad ${name}`, family: "conv2dInputGrad", params, elements: [y, w, x], flops },
    {
      name: `weightGrad ${name} in ${splits}`,
      family: "conv2dWeightGrad",
      params: { ...params, splits },
      elements: [x, y, w * splits],
      flops,
    },
  ];
}

const jobs: Job[] = [
  gemm(256, 256, 256),
  gemm(512, 512, 512),
  gemm(1024, 1024, 1024),
  gemm(512, 512, 512, true, false),
  gemm(512, 512, 512, false, true),
  gemm(32, 4096, 512),
  gemm(64, 10, 512),
  ...conv(32, 32, 64, 64, 3),
  ...conv(32, 32, 3, 64, 3),
  ...conv(32, 16, 128, 128, 3),
  ...conv(32, 4, 512, 512, 3),
  ...conv(32, 32, 64, 128, 3, 2),
  ...conv(32, 32, 64, 128, 1, 2),
  ...conv(32, 16, 256, 64, 1),
  ...conv(64, 28, 16, 16, 3),
];

const backend = await openWebGpu({ tune: "off", kernels: (values.kernels ?? "auto") as KernelStyle });
console.log(backend.description);
console.log(`${"".padEnd(48)} compile ms      ms  GFLOP/s  GFLOP/s by processor time`);
for (const job of jobs) {
  if (values.only && !job.name.includes(values.only)) continue;
  const memories = job.elements.map((n) => {
    const memory = backend.allocate(n * 4);
    backend.write(
      memory,
      0,
      Float32Array.from({ length: n }, () => Math.random() - 0.5),
    );
    return memory;
  });
  const call: BoundCall = {
    key: JSON.stringify([job.family, job.params]),
    spec: { family: job.family, params: job.params },
    bindings: memories.map((memory, i) => ({
      memory,
      byteOffset: 0,
      bytes: job.elements[i]! * 4,
      dtype: "float32",
      access: i === 2 ? "write" : "read",
    })),
  };
  const compileUsage = process.cpuUsage();
  const program = await backend.prepare([call]);
  program.run();
  await backend.idle();
  const compiled = process.cpuUsage(compileUsage);
  const compile = (compiled.user + compiled.system) / 1000;
  let [wall, processor] = [Infinity, Infinity];
  const rounds = Math.max(1, Math.ceil(2e9 / job.flops));
  for (let repeat = 0; repeat < 4; repeat++) {
    const [start, usage] = [performance.now(), process.cpuUsage()];
    for (let i = 0; i < rounds; i++) program.run();
    await backend.idle();
    const { user, system } = process.cpuUsage(usage);
    wall = Math.min(wall, (performance.now() - start) / rounds);
    processor = Math.min(processor, (user + system) / 1000 / cpus().length / rounds);
  }
  const rate = (ms: number): string => (job.flops / ms / 1e6).toFixed(1);
  const software = backend.isSoftware ? rate(processor).padStart(10) : "";
  console.log(
    `${job.name.padEnd(48)} ${compile.toFixed(0).padStart(10)} ${wall.toFixed(2).padStart(7)} ${rate(wall).padStart(8)} ${software}`,
  );
  for (const m of memories) backend.free(m);
}
await backend.destroy();
