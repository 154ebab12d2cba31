/** Every family on the cpu device, on one thread, two and seven: equal bits, and right. */
import { type CpuBackend, type Family, families, openCpu } from "@dawnstrap/tensor/testing";
import {
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  convolution,
  gemm,
  product,
} from "@dawnstrap/tensor/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import { addsInOrder, check as checkOn } from "./families.js";

let backends: CpuBackend[];
beforeAll(async () => {
  backends = [
    await openCpu({ threads: 1, shared: false }),
    await openCpu({ threads: 2 }),
    await openCpu({ threads: 7 }),
  ];
});
afterAll(() => Promise.all(backends.map((b) => b.destroy())));

const check = <P>(family: Family<P>, params: P): Promise<void> =>
  checkOn(backends, family, params, { tolerance: 2e-5 });

describe.each([...families.values()].map((family) => [family.name, family] as const))("%s", (_, family) => {
  test.each(family.samples.awkward.map((params, i) => [i, Object.values(params).join(" "), params] as const))(
    "sample %i: %s",
    (_, __, params) => check(family, params),
  );
});

describe("gemm", () => {
  test("long sums and many rows", async () => {
    await check(gemm, product(20, 12, 3000));
    await check(gemm, product(20, 12, 3000, { transA: true }));
    await check(gemm, product(2000, 16, 12));
    await check(gemm, product(16, 2000, 12, { transB: true }));
  });

  test("random sizes", async () => {
    const extent = fc.integer({ min: 1, max: 70 });
    await fc.assert(
      fc.asyncProperty(extent, extent, extent, fc.boolean(), fc.boolean(), (m, n, k, transA, transB) =>
        check(gemm, product(m, n, k, { transA, transB })),
      ),
      { numRuns: 40 },
    );
  });
});

test("random convolutions and their gradients", async () => {
  const small = fc.integer({ min: 1, max: 3 });
  const pad = fc.integer({ min: 0, max: 2 });
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        batch: small,
        kernel: fc.tuple(small, small),
        stride: fc.tuple(small, small),
        dilation: fc.tuple(small, small),
        padding: fc.tuple(pad, pad, pad, pad),
        extra: fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 })),
        groups: small,
        inPer: fc.integer({ min: 1, max: 9 }),
        outPer: fc.integer({ min: 1, max: 18 }),
      }),
      async ({ batch, kernel, stride, dilation, padding, extra, groups, inPer, outPer }) => {
        const size = (axis: 0 | 1): number =>
          Math.max(1, (kernel[axis] - 1) * dilation[axis] + 1 - padding[axis] - padding[axis + 2]!) +
          extra[axis];
        const p = convolution(batch, [size(0), size(1)], [groups * inPer, groups * outPer], kernel, {
          ...{ stride, dilation, padding, groups },
        });
        await check(conv2d, p);
        await check(conv2dInputGrad, p);
        await check(conv2dWeightGrad, { ...p, splits: 2 });
      },
    ),
    { numRuns: 60 },
  );
});

test("scatterAdd adds in order, to the bit", () => addsInOrder(backends));
