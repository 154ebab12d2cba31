import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWebGpu, type WebGpuBackend } from "../../devices/webgpu/index.js";
import { type Case, convCases, convCasesOf, difference, gemmCase, gemmCases, scatterCases } from "./cases.js";
import { baseLimits, compileWgsl } from "./index.js";
import { runKernel } from "./testing.js";

async function check(backend: WebGpuBackend, cases: readonly Case[]): Promise<void> {
  for (const { name, spec, bindings, expected } of cases) {
    const results = await runKernel(backend, spec, bindings);
    expect(difference(results.at(-1)!, expected), name).toBeLessThan(2e-6);
  }
}

/** llvmpipe takes up to a second to compile a kernel, so the styles that it does not use itself see a part of the cases. */
const some = (cases: readonly Case[], every: number): readonly Case[] =>
  cases.filter((_, i) => i % every === 0);

// All three ways to write a product, on one adapter: each is right everywhere, only their speeds differ.
describe.each([
  ["lanes", 1],
  ["plain", 5],
  ["tiles", 5],
] as const)("as %s", (kernels, every) => {
  let backend: WebGpuBackend;
  beforeAll(async () => {
    backend = await openWebGpu({ kernels });
  });
  afterAll(() => backend.destroy());

  test("matrix products", () => check(backend, some(gemmCases(), every)));
  test("convolutions and their gradients", () => check(backend, some(convCases(), every)), 300_000);
  test.runIf(kernels === "lanes")("scatterAdd", () => check(backend, scatterCases()));
});

describe("sizes", () => {
  let backend: WebGpuBackend;
  beforeAll(async () => {
    backend = await openWebGpu();
  });
  afterAll(() => backend.destroy());

  test("more than 65,535 workgroups", async () => {
    const c = gemmCase({
      m: 1,
      n: 1,
      k: 1,
      transA: false,
      transB: false,
      batchShape: [70_001],
      aStrides: [1],
      bStrides: [1],
    });
    expect(compileWgsl(c.spec, [], baseLimits).workgroups[1]).toBe(2);
    await check(backend, [c]);
  });

  test("a padding larger than the kernel, and windows that miss the image", async () => {
    const p = {
      batch: 1,
      h: 3,
      w: 4,
      inC: 4,
      outC: 8,
      kh: 2,
      kw: 3,
      strideH: 1,
      strideW: 2,
      dilationH: 2,
      dilationW: 1,
    };
    await check(
      backend,
      convCasesOf({ ...p, padTop: 4, padLeft: 5, outH: 9, outW: 6, groups: 1 }, [1, 2, 40]),
    );
  });

  test("limits of one group per dimension are respected", () => {
    const c = gemmCase({
      m: 100,
      n: 300,
      k: 2,
      transA: false,
      transB: false,
      batchShape: [],
      aStrides: [],
      bStrides: [],
    });
    for (const hardware of [true, false]) {
      const { workgroups } = compileWgsl(c.spec, [], {
        ...baseLimits,
        hardware,
        maxWorkgroupsPerDimension: 8,
      });
      expect(Math.max(...workgroups)).toBeLessThanOrEqual(8);
    }
  });
});
