/** A family that a user defines, with nothing but its meaning, launched by an op of the user's own. */
import { openDevice } from "@dawnstrap/tensor";
import { apply1, defineFamily, defineOp, expr, nondifferentiable } from "@dawnstrap/tensor/extend";
import { afterAll, describe, expect, test } from "vitest";

/** out[i] += scale · Σ_j x[i + j], over windows of a line. */
const windows = defineFamily({
  name: "test.windows",
  params: { length: "number", window: "number", scale: "numbers", negate: "boolean" },
  operands: ({ length, window }) => ({ reads: [{ shape: [length] }], out: { shape: [length - window + 1] } }),
  plain({ window, scale, negate }, [i], [x, out]) {
    const [sum] = expr.fold(window, [expr.f32(0)], (j, [s]) => [expr.add(s!, x!([expr.add(i!, j)]))]);
    const scaled = expr.mul(sum!, expr.f32(negate ? -scale[0]! : scale[0]!));
    return expr.add(out!([i!]), scaled);
  },
  flops: ({ length, window }) => (length - window + 1) * window,
  updates: true,
  samples: { awkward: [{ length: 5, window: 5, scale: [1], negate: false }], usual: [] },
});

interface Params {
  readonly window: number;
  readonly negate: boolean;
}

const windowsOp = defineOp<Params>({
  name: "test.windows",
  infer: ([, start]) => [start!],
  reference([x, start], { window, negate }) {
    const data = start!.data.map((v, i) => {
      let sum = 0;
      for (let j = 0; j < window; j++) sum += x!.data[i + j]!;
      return v + (negate ? -0.5 : 0.5) * sum;
    });
    return [{ ...start!, data }];
  },
  lower(b, [x, start], _, p) {
    const length = x!.shape[0]!;
    b.call(windows, { ...p, length, scale: [0.5] }, [x!.buffer()], b.updated(0, start!));
  },
  vjp: nondifferentiable("a test has no use for it"),
  sample: () => ({ inputs: [{ shape: [9] }, { shape: [7] }], params: { window: 3, negate: true } }),
});

describe.each(["cpu", "webgpu", "reference"] as const)("on %s", async (kind) => {
  const device = await openDevice(kind);
  afterAll(() => device.destroy());

  test.each([
    [9, 3],
    [300, 17],
    [5, 5],
  ])("windows of a line of %i elements, %i at a time", async (length, window) => {
    const x = Float32Array.from({ length }, (_, i) => Math.sin(i));
    const start = Float32Array.from({ length: length - window + 1 }, (_, i) => i / 7);
    const params = { window, negate: length === 9 };
    const y = apply1(windowsOp, [device.tensor(x), device.tensor(start)], params);
    const [want] = windowsOp.reference(
      [x, start].map((data) => ({ shape: [data.length], dtype: "float32", data: Float64Array.from(data) })),
      params,
      [],
    );
    const got = await y.data();
    expect(got.length).toBe(want!.data.length);
    got.forEach((v, i) => {
      expect(v).toBeCloseTo(want!.data[i]!, 4);
    });
  });
});

test("a parameter of another kind, or a buffer of another size, is refused by name", async () => {
  const device = await openDevice("cpu");
  const launch = (name: string, length: unknown) =>
    apply1(
      defineOp<object>({
        name,
        infer: ([x]) => [x!],
        reference: ([x]) => [x!],
        lower(b, [x]) {
          const params = { length: length as number, window: 1, scale: [1], negate: false };
          b.call(windows, params, [x!.buffer()], b.out(0));
        },
        vjp: nondifferentiable("a test has no use for it"),
        sample: () => ({ inputs: [{ shape: [9] }], params: {} }),
      }),
      [device.tensor(new Float32Array(9))],
      {},
    ).data();
  await expect(launch("test.kind", "9")).rejects.toThrow(
    'kernel family test.windows: length is "9", a number is wanted',
  );
  await expect(launch("test.size", 10)).rejects.toThrow(
    "kernel family test.windows: buffer 0 holds 9 elements of float32; [10] of float32 is wanted",
  );
  expect(() => defineFamily({ ...windows, name: "gemm", params: {} })).toThrow(
    "kernel family gemm is defined twice",
  );
  await device.destroy();
});
