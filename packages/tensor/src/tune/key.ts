/** What a tuning result holds for: a class of kernel calls, on an adapter, with these generators. */
import { bindingsOf, families, kernelOf } from "../families/family.js";
import type { KernelSpec } from "../program.js";
import { compileWgsl, productOf, variantsOf, type WgslLimits } from "../kernels/wgsl/index.js";

/** Samples of each family that the generators' hash is made of: the first of them differ most. */
const HASHED_SAMPLES = 3;

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
  let hash = 0xcbf29ce484222325n;
  for (const family of families.values())
    for (const params of family.samples.awkward.slice(0, HASHED_SAMPLES)) {
      const spec = kernelOf(family, params);
      for (const variant of variantsOf(spec, limits)) {
        const { source } = compileWgsl(spec, bindingsOf(family, params), limits, variant);
        hash = fnv(hash, JSON.stringify(variant) + source);
      }
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
