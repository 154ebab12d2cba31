import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWebGpu, type WebGpuBackend } from "../../../backends/webgpu/index.js";
import { type Case, convCases, convCasesOf, difference, gemmCase, gemmCases, scatterCases } from "./cases.js";
import { baseLimits, compileWgsl, productOf, type Variant, variantsOf } from "../index.js";
import { tileShapes } from "./tiles.js";
import { runKernel } from "../testing.js";

async function check(backend: WebGpuBackend, cases: readonly Case[], variant?: Variant): Promise<void> {
  for (const { name, spec, bindings, expected } of cases) {
    const results = await runKernel(
      backend,
      spec,
      bindings,
      variant && ((call) => backend.prepareAs(call, variant, 1)),
    );
    const what = variant ? `${name} as ${JSON.stringify(variant)}` : name;
    expect(difference(results.at(-1)!, expected), what).toBeLessThan(2e-6);
  }
}

/** llvmpipe takes up to a second to compile a kernel, so the styles that it does not use itself see a part of the cases. */
const some = (cases: readonly Case[], every: number): readonly Case[] =>
  cases.filter((_, i) => i % every === 0);

describe("the default on software adapters", () => {
  let backend: WebGpuBackend;
  beforeAll(async () => {
    backend = await openWebGpu({ tune: "off" });
  });
  afterAll(() => backend.destroy());

  test("matrix products", () => check(backend, gemmCases()));
  test("convolutions and their gradients", () => check(backend, convCases()));
  test("scatterAdd", () => check(backend, scatterCases()));
});

// Each variant is right on every adapter; only the speeds differ. So those for hardware are checked here as well.
describe("variants", () => {
  let backend: WebGpuBackend;
  beforeAll(async () => {
    backend = await openWebGpu({ tune: "off" });
  });
  afterAll(() => backend.destroy());
  const single = { batchShape: [], aStrides: [], bStrides: [] };

  test("lane tiles without subgroups", async () => {
    for (const c of some([...gemmCases(), ...convCases()], 9)) {
      const plain = variantsOf(c.spec, { ...baseLimits, hardware: false });
      await check(backend, [c], plain[0]);
    }
  });

  test("every lane tile that a software adapter tries", async () => {
    const p = { m: 37, n: 68, k: 9, transA: false, transB: true, ...single };
    const c = gemmCase(p);
    const variants = backend.variantsOf(c.spec);
    expect(variants.length).toBeGreaterThan(6);
    for (const variant of variants) await check(backend, [c], variant);
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
      const [m, n, k] = [down * rows + step, across * columns - step, vectors ? 28 : 19];
      const c = gemmCase({ m, n, k, transA, transB, ...single });
      expect(productOf(c.spec)!.aVectors).toBe(vectors);
      const depth = down * across * rows * columns > 8192 ? 8 : 16;
      await check(backend, [c], { style: "tiles", down, across, rows, columns, depth });
    },
  );

  const small = { style: "tiles", down: 8, across: 8, rows: 4, columns: 4, depth: 8 } as const;
  test("workgroup tiles on convolutions and their gradients", async () => {
    // Odd channels and strides with ragged phases; 7×7 of three channels; groups; one tap; shares of lines and of pixels.
    const names = ["5→12", "3→64", "32→32", "16→24", "8→16"];
    const cases = names.flatMap((name) => convCases().filter((c) => c.name.includes(name)));
    expect(cases.length).toBe(4 * names.length);
    await check(backend, some(cases, 2), small);
  });

  test("workgroup tiles on batches, and on sums of a few steps", async () => {
    await check(backend, some(gemmCases().slice(-4), 2), small);
    const c = gemmCase({ m: 40, n: 36, k: 3, transA: false, transB: false, ...single });
    await check(backend, [c], { ...small, depth: 4 });
  });
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
    expect(compileWgsl(c.spec, baseLimits).workgroups[1]).toBe(2);
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
      const { workgroups } = compileWgsl(c.spec, {
        ...baseLimits,
        hardware,
        maxWorkgroupsPerDimension: 8,
      });
      expect(Math.max(...workgroups)).toBeLessThanOrEqual(8);
    }
  });
});
