/** Ops of @dawnstrap/tensor, each as a captured program by itself. */
import * as t from "@dawnstrap/tensor";
import type { Device, Tensor } from "@dawnstrap/tensor";
import { type Case, expectClose, numbers, replayed, samples } from "./case.js";
import { convolutions } from "./convolutions.js";

const mebi = 2 ** 20;

function matmul(n: number): Case {
  return replayed({ name: `matmul ${n}`, unit: "GFLOP/s", work: 2 * n ** 3 }, async (device) => {
    const [a, b] = [numbers(n * n, 1), numbers(n * n, 2)];
    const [x, y] = [device.tensor(a, [n, n]), device.tensor(b, [n, n])];
    return {
      step: () => t.matmul(x, y),
      check: ([c]) => {
        for (const at of samples(n * n)) {
          const [row, column] = [Math.floor(at / n), at % n];
          let sum = 0;
          for (let k = 0; k < n; k++) sum += a[row * n + k]! * b[k * n + column]!;
          expectClose(`element ${at}`, c![at]!, sum, 1e-3);
        }
      },
    };
  });
}

/** A case over one float32 input: `f` is the op, `reference` gives chosen elements of its result. */
function over(
  about: Omit<Case, "setup">,
  shape: readonly number[],
  f: (x: Tensor) => Tensor,
  reference: (x: Float32Array, at: number) => number,
): Case {
  return replayed(about, async (device) => {
    const data = numbers(shape.reduce((n, d) => n * d, 1));
    const x = device.tensor(data, shape);
    return {
      step: () => f(x),
      check: ([y]) => {
        for (const at of samples(y!.length)) expectClose(`element ${at}`, y![at]!, reference(data, at));
      },
    };
  });
}

const [rows, columns] = [4096, 1024];
const bytes = 4 * rows * columns;
const total = (x: ArrayLike<number>, first: number, count: number, stride: number): number => {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += x[first + k * stride]!;
  return sum;
};

const reductions: Case[] = [
  over(
    { name: "sum of rows 4096 × 1024", unit: "GB/s", work: bytes },
    [rows, columns],
    (x) => t.sum(x, 1),
    (x, i) => total(x, i * columns, columns, 1),
  ),
  over(
    { name: "sum of columns 4096 × 1024", unit: "GB/s", work: bytes },
    [rows, columns],
    (x) => t.sum(x, 0),
    (x, i) => total(x, i, rows, columns),
  ),
  over(
    { name: "sum of all 4 Mi", unit: "GB/s", work: bytes },
    [rows, columns],
    (x) => t.sum(x),
    (x) => total(x, 0, x.length, 1),
  ),
  over(
    { name: "softmax of rows 4096 × 1024", unit: "GB/s", work: 2 * bytes },
    [rows, columns],
    (x) => t.softmax(x),
    (x, at) => {
      const row = x.subarray(at - (at % columns), at - (at % columns) + columns);
      return Math.exp(x[at]!) / row.reduce((sum, v) => sum + Math.exp(v), 0);
    },
  ),
];

const pointwise = over(
  { name: "pointwise chain of 8 ops, 4 Mi", unit: "GB/s", work: 2 * bytes },
  [4 * mebi],
  (x) => t.relu(t.sub(t.mul(t.add(t.mul(x, x), 1), t.abs(x)), t.div(t.sqrt(t.abs(x)), 3))),
  (x, i) => Math.max(0, (x[i]! ** 2 + 1) * Math.abs(x[i]!) - Math.sqrt(Math.abs(x[i]!)) / 3),
);

const transpose = over(
  { name: "transpose 4096 × 1024", unit: "GB/s", work: 2 * bytes },
  [rows, columns],
  (x) => t.add(t.transpose(x), 1),
  (x, at) => x[(at % rows) * columns + Math.floor(at / rows)]! + 1,
);

const sort = over(
  { name: "sort rows 64 × 4096", unit: "Melem/s", work: 64 * 4096 },
  [64, 4096],
  (x) => t.sort(x).values,
  (x, at) => x.slice(at - (at % 4096), at - (at % 4096) + 4096).sort()[at % 4096]!,
);

/** Draws are equal on every device, so that a few on the reference device check all. */
function random(name: string, draw: (key: Tensor, shape: readonly number[]) => Tensor): Case {
  return replayed({ name: `${name}, 4 Mi`, unit: "Melem/s", work: 4 * mebi }, async (device: Device) => {
    const key = t.randomKey(device, 7);
    return {
      step: () => draw(key, [4 * mebi]),
      check: async ([y]) => {
        const reference = await t.openDevice("reference");
        const first = await draw(t.randomKey(reference, 7), [64]).float64();
        for (const [i, v] of first.entries()) expectClose(`draw ${i}`, y![i]!, v, 1e-5);
        await reference.destroy();
      },
    };
  });
}

export const cases: readonly Case[] = [
  ...[128, 256, 512, 1024].map(matmul),
  ...convolutions,
  pointwise,
  transpose,
  ...reductions,
  sort,
  random("random uniform", (key, shape) => t.randomUniform(key, shape)),
  random("random normal", (key, shape) => t.randomNormal(key, shape)),
];
