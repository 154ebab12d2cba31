/**
 * Sizes beyond one dispatch dimension. A WebGPU dispatch has at most 65,535 workgroups a dimension; kernels of 64
 * invocations reach that at 65,535 × 64 elements, kernels that compute four elements an invocation at 65,535 × 256.
 * Every element is looked at: where the grid is folded wrongly, it is the tail or the seams that are off.
 */
import { add, concat, type Device, gather, mul, openDevice, sum, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const small = 65_535 * 64 + 37;
const large = 65_535 * 256 + 37;

describe.each(["cpu", "webgpu"] as const)("more than one dispatch dimension on %s", (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(kind);
  });
  afterAll(() => device.destroy());

  /** int32 i, exact in every op below. */
  const count = (n: number): Tensor => device.arange(n);

  /** Where the values first differ from f(i), or −1; without a million expectations. */
  async function firstWrong(t: Tensor, f: (i: number) => number): Promise<number> {
    const data = await t.data();
    expect(data.length).toBe(t.size);
    return data.findIndex((v, i) => v !== f(i));
  }
  const scoped = (fn: () => Promise<void>): Promise<void> => device.scope(fn);

  it.each([small, large])("pointwise, %i elements", (n) =>
    scoped(async () => {
      const x = device.tensor(Int32Array.from({ length: n }, (_, i) => i ^ 0x55));
      expect(await firstWrong(add(mul(x, 2), 1), (i) => (i ^ 0x55) * 2 + 1)).toBe(-1);
    }),
  );

  it("pointwise on packed bytes", () =>
    scoped(async () => {
      const n = large + 65_535;
      const x = device.tensor(Uint8Array.from({ length: n }, (_, i) => i % 251));
      expect(await firstWrong(add(x, 3), (i) => (i % 251) + 3)).toBe(-1);
    }));

  it("reductions with more results than one dimension holds", () =>
    scoped(async () => {
      const n = small;
      const rows = sum(count(2 * n).reshape([n, 2]), 1);
      expect(await firstWrong(rows, (i) => 4 * i + 1)).toBe(-1);
      const columns = sum(count(2 * n).reshape([2, n]), 0);
      expect(await firstWrong(columns, (i) => 2 * i + n)).toBe(-1);
    }));

  it("a reduction over more elements than two folded dimensions of four", () =>
    scoped(async () => {
      // 0 … 6 over and over: the sum stays an int32.
      const x = device.tensor(Int32Array.from({ length: large }, (_, i) => i % 7));
      const whole = Math.floor(large / 7);
      const rest = large % 7;
      expect(await sum(x).item()).toBe(whole * 21 + (rest * (rest - 1)) / 2);
    }));

  it("copies: permuted, joined, and into a captured program", () =>
    scoped(async () => {
      const n = Math.ceil(small / 3);
      const turned = add(
        count(3 * n)
          .reshape([n, 3])
          .permute([1, 0]),
        0,
      );
      expect(await firstWrong(turned, (p) => (p % n) * 3 + Math.floor(p / n))).toBe(-1);
      const joined = concat([count(small), count(small)]);
      expect(await firstWrong(joined, (p) => p % small)).toBe(-1);
      const step = device.capture((x: Tensor) => add(x, 1));
      const moved = await step(add(count(small), 1));
      expect(await firstWrong(moved, (i) => i + 2)).toBe(-1);
      step.release();
    }));

  it("gather", () =>
    scoped(async () => {
      const table = device.tensor(Int32Array.from({ length: 1000 }, (_, i) => i * i));
      const at = device.tensor(Int32Array.from({ length: small }, (_, i) => (i * 7) % 1000));
      expect(await firstWrong(gather(table, at), (i) => ((i * 7) % 1000) ** 2)).toBe(-1);
    }));

  it("a variable that is updated in place", () =>
    scoped(async () => {
      const v = device.variable(count(small), "v");
      v.assign(add(v.value, 5));
      await device.flush();
      v.assign(add(v.value, v.value));
      expect(await firstWrong(v.value, (i) => 2 * (i + 5))).toBe(-1);
    }));
});
