/** What a tuning result holds for: a class of kernel calls, on an adapter, with these generators. */
import type { FamilyKernel, KernelSpec } from "../program.js";
import { compileWgsl, productOf, variantsOf, type WgslLimits } from "../kernels/wgsl/index.js";

/** A power of two; sizes apart by less than a factor of √2 from it count as alike. */
const size = (n: number): number => 2 ** Math.round(Math.log2(Math.max(1, n)));

/** Calls of one class share their choice: the same kind of product, of about the same sizes. Undefined for other kernels. */
export function classOf(spec: KernelSpec): string | undefined {
  const p = productOf(spec);
  if (!p) return undefined;
  const flag = (on: boolean, name: string): string => (on ? name : "");
  const a = `A${flag(p.aAlongK, "k")}${flag(p.aVectors, "v")}${flag(p.inside !== undefined, "?")}`;
  const b = `B${flag(p.bAlongK, "k")}${flag(p.bVectors, "v")}`;
  const sizes = [p.problems, p.m, p.n, p.depth, p.innerExtent].map(size).join("x");
  return `${spec.family} ${sizes} ${a} ${b} C${flag(p.outVectors, "v")}`;
}

/** The adapter with its driver, features and the limits that candidates depend on. */
export function adapterKey(
  info: GPUAdapterInfo,
  features: Iterable<string>,
  limits: WgslLimits,
  runtime: string,
): string {
  const { vendor, architecture, device, description } = info;
  return JSON.stringify([vendor, architecture, device, description, [...features].sort(), limits, runtime]);
}

/**
 * A hash of what the generators write for some calls, in every variant: it changes when a generator does, so that no
 * result outlives the kernel that it was measured on.
 */
export function generatorHash(limits: WgslLimits): string {
  const single = { batchShape: [], aStrides: [], bStrides: [] };
  const conv = {
    ...{ batch: 2, h: 9, w: 9, inC: 16, outC: 16, kh: 3, kw: 3, strideH: 2, strideW: 2 },
    ...{ dilationH: 1, dilationW: 1, padTop: 1, padLeft: 1, outH: 5, outW: 5 },
  };
  const samples: FamilyKernel[] = [
    { family: "gemm", params: { m: 65, n: 33, k: 17, transA: false, transB: true, ...single } },
    { family: "gemm", params: { m: 64, n: 32, k: 16, transA: true, transB: false, ...single } },
    ...["conv2d", "conv2dInputGrad"].flatMap((family) =>
      [1, 4].map((groups) => ({ family, params: { ...conv, groups } })),
    ),
    { family: "conv2dWeightGrad", params: { ...conv, groups: 1, splits: 2 } },
  ];
  let hash = 0xcbf29ce484222325n;
  for (const spec of samples)
    for (const variant of variantsOf(spec, limits)) {
      const { source } = compileWgsl(spec, limits, variant);
      hash = fnv(hash, JSON.stringify(variant) + source);
    }
  return hash.toString(16).padStart(16, "0");
}

/** Two FNV-1a hashes of 32 bits side by side, the second over the text shifted by one bit. */
function fnv(start: bigint, text: string): bigint {
  let [high, low] = [Number(start >> 32n), Number(start & 0xffffffffn)];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ (code << 1), 0x01000193);
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
