/** Every family on the adapter at hand, and every way in which a product can be written. */
import {
  baseLimits,
  bindingsOf,
  compileWgsl,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  convolution,
  type Family,
  families,
  gemm,
  kernelOf,
  openWebGpu,
  product,
  productOf,
  scatterAdd,
  tileShapes,
  type Variant,
  variantsOf,
  type WebGpuBackend,
} from "@dawnstrap/tensor/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addsInOrder, check as checkOn } from "./families.js";

let backend: WebGpuBackend;
beforeAll(async () => {
  backend = await openWebGpu({ tune: "off" });
});
afterAll(() => backend.destroy());

const check = <P>(family: Family<P>, params: P, variant?: Variant): Promise<void> =>
  checkOn([backend], family, params, {
    tolerance: 2e-6,
    ...(variant && { prepare: (call) => backend.prepareAs(call, variant, 1) }),
  });

/** llvmpipe takes up to a second to compile a kernel, so the styles that it does not use itself see a part of the samples. */
const some = <T>(samples: readonly T[], every: number): readonly T[] =>
  samples.filter((_, i) => i % every === 0);

const products = [...families.values()].filter((family) =>
  productOf(kernelOf(family, family.samples.awkward[0])),
);

describe("the default on software adapters", () => {
  test.each(products.map((family) => [family.name, family] as const))("%s", async (_, family) => {
    for (const params of some(family.samples.awkward, 2)) await check(family, params);
  });
  test("scatterAdd adds in order, to the bit", () =>
    addsInOrder(
      [backend],
      // WebGPU binds no empty buffer; the planner launches no kernel on one.
      scatterAdd.samples.awkward.filter((p) => p.count > 0),
    ));
});

// Each variant is right on every adapter; only the speeds differ. So those for hardware are checked here as well.
describe("variants", () => {
  test("lane tiles without subgroups", async () => {
    for (const family of products)
      for (const params of some(family.samples.awkward, 18)) {
        const [plain] = variantsOf(kernelOf(family, params), { ...baseLimits, hardware: false });
        await check(family, params, plain!);
      }
  });

  test("every lane tile that a software adapter tries", async () => {
    const p = product(37, 68, 9, { transB: true });
    const variants = backend.variantsOf(kernelOf(gemm, p));
    expect(variants.length).toBeGreaterThan(6);
    for (const variant of variants) await check(gemm, p, variant);
  });

  // In turn: everything in vectors, one side in vectors, nothing; each either way round.
  const layouts = [
    { transA: false, transB: false, vectors: true },
    { transA: true, transB: false, vectors: true },
    { transA: false, transB: true, vectors: true },
    { transA: false, transB: false, vectors: false },
    { transA: true, transB: true, vectors: true },
    { transA: true, transB: true, vectors: false },
  ];
  test.each(tileShapes.map((shape, i) => [shape.join(" "), shape, layouts[i % layouts.length]!] as const))(
    "workgroup tiles of %s, one more than a tile, one less, and more than one turn",
    async (_, [down, across, rows, columns], { transA, transB, vectors }) => {
      const step = vectors ? 4 : 1;
      const p = product(down * rows + step, across * columns - step, vectors ? 28 : 19, { transA, transB });
      expect(productOf(kernelOf(gemm, p))!.aVectors).toBe(vectors);
      const depth = down * across * rows * columns > 8192 ? 8 : 16;
      await check(gemm, p, { style: "tiles", down, across, rows, columns, depth });
    },
  );

  const small = { style: "tiles", down: 8, across: 8, rows: 4, columns: 4, depth: 8 } as const;
  test("workgroup tiles on convolutions and their gradients", async () => {
    // Odd channels and strides with ragged phases; 7×7 of three channels; groups; one tap; shares of lines and of pixels.
    const channels = ["5→12", "3→64", "32→32", "16→24", "8→16"];
    for (const [i, family] of [conv2d, conv2dInputGrad, conv2dWeightGrad].entries()) {
      const samples = family.samples.awkward.filter((p) => channels.includes(`${p.inC}→${p.outC}`));
      expect(new Set(samples.map((p) => p.inC)).size).toBe(channels.length);
      for (const p of samples.filter((_, k) => (i + k) % 2 === 0))
        await check<typeof p>(family as Family<typeof p>, p, small);
    }
  });

  test("workgroup tiles on batches, and on sums of a few steps", async () => {
    for (const p of some(gemm.samples.awkward.slice(-4), 2)) await check(gemm, p, small);
    await check(gemm, product(40, 36, 3), { ...small, depth: 4 });
  });
});

describe("sizes", () => {
  test("more than 65,535 workgroups", async () => {
    const p = product(1, 1, 1, { batchShape: [70_001], aStrides: [1], bStrides: [1] });
    const { workgroups } = compileWgsl(kernelOf(gemm, p), bindingsOf(gemm, p), baseLimits);
    expect(workgroups[1]).toBe(2);
    await check(gemm, p);
  });

  test("a padding larger than the kernel, and windows that miss the image", async () => {
    const p = convolution(1, [3, 4], [4, 8], [2, 3], {
      stride: [1, 2],
      dilation: [2, 1],
      padding: [4, 5, 4, 4],
    });
    expect([p.outH, p.outW]).toEqual([9, 6]);
    await check(conv2d, p);
    await check(conv2dInputGrad, p);
    for (const splits of [1, 2, 40]) await check(conv2dWeightGrad, { ...p, splits });
  });

  test("limits of one group per dimension are respected", () => {
    const p = product(100, 300, 2);
    for (const hardware of [true, false]) {
      const limits = { ...baseLimits, hardware, maxWorkgroupsPerDimension: 8 };
      const { workgroups } = compileWgsl(kernelOf(gemm, p), bindingsOf(gemm, p), limits);
      expect(Math.max(...workgroups)).toBeLessThanOrEqual(8);
    }
  });
});
