/** Runs in a page: a chain of kernels of two families, on as many threads as asked for. */
import { type CpuOptions, convolution as conv, openCpu } from "@dawnstrap/tensor/testing";

async function compute(options: CpuOptions) {
  const backend = await openCpu(options);
  const params = conv(8, [14, 14], [16, 16], [3, 3], { padding: [1, 1, 1, 1] });
  const sizes = [8 * 14 * 14 * 16, 9 * 16 * 16, 8 * 14 * 14 * 16];
  const blocks = sizes.map((n) => backend.allocate(4 * n));
  blocks.forEach((block, i) => {
    backend.write(
      block,
      0,
      Float32Array.from({ length: sizes[i]! }, (_, k) => Math.sin(k + i)),
    );
  });
  const call = (reads: readonly number[], write: number) => ({
    key: "conv",
    spec: { family: "conv2d", params: { ...params } },
    bindings: [...reads, write].map((i) => ({
      memory: blocks[i]!,
      byteOffset: 0,
      bytes: 4 * sizes[i]!,
      dtype: "float32" as const,
      access: i === write ? ("write" as const) : ("read" as const),
    })),
  });
  const prepared = await backend.prepare([call([0, 1], 2), call([2, 1], 0)]);
  for (let i = 0; i < 3; i++) prepared.run();
  const bytes = new Uint8Array(await backend.read(blocks[0]!, 0, 4 * sizes[0]!));
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  const result = {
    isolated: globalThis.crossOriginIsolated,
    threads: backend.threads,
    description: backend.description,
    digest: Array.from(new Uint8Array(digest)).join(),
    finite: new Float32Array(bytes.buffer).every(Number.isFinite),
  };
  await backend.destroy();
  return result;
}

export type Result = Awaited<ReturnType<typeof compute>>;
Object.assign(globalThis, { page: { compute } });
