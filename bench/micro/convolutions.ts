/** Convolutions and both gradients, at shapes of small-image ResNets. */
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from "@dawnstrap/tensor";
import { type Case, expectClose, numbers, replayed, samples } from "./case.js";

interface Shape {
  readonly batch: number;
  readonly size: number;
  readonly from: number;
  readonly to: number;
  readonly kernel: number;
  readonly stride: number;
}

const shapes: readonly Shape[] = [
  { batch: 32, size: 28, from: 16, to: 16, kernel: 3, stride: 1 },
  { batch: 32, size: 14, from: 64, to: 64, kernel: 3, stride: 1 },
  { batch: 32, size: 28, from: 32, to: 64, kernel: 3, stride: 2 },
  { batch: 32, size: 7, from: 512, to: 128, kernel: 1, stride: 1 },
];

/** Padding is `pad` zeros on every side, so that taps are easy to tell. */
function geometry({ batch, size, from, to, kernel, stride }: Shape) {
  const pad = kernel >> 1;
  const out = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  return {
    pad,
    out,
    x: [batch, size, size, from],
    w: [kernel, kernel, from, to],
    y: [batch, out, out, to],
    work: 2 * batch * out * out * kernel * kernel * from * to,
  };
}

/** Multi-index of a flat position. */
function unflatten(at: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length);
  for (let i = shape.length - 1; i >= 0; i--) {
    index[i] = at % shape[i]!;
    at = Math.floor(at / shape[i]!);
  }
  return index;
}
const flatten = (index: readonly number[], shape: readonly number[]): number =>
  index.reduce((flat, v, i) => flat * shape[i]! + v, 0);

function ofShape(shape: Shape): Case[] {
  const { kernel, stride, size, from, to, batch } = shape;
  const g = geometry(shape);
  const count = (s: readonly number[]): number => s.reduce((n, d) => n * d, 1);
  const [x, w, dy] = [numbers(count(g.x), 1), numbers(count(g.w), 2), numbers(count(g.y), 3)];
  const options = { stride, padding: g.pad };
  const text = `${batch}×${size}×${size}×${from} → ${to}, ${kernel}×${kernel}${stride > 1 ? ` stride ${stride}` : ""}`;
  /** Row of the image under tap k of output row o; the same for columns. */
  const under = (o: number, k: number): number => o * stride + k - g.pad;
  const inside = (i: number): boolean => i >= 0 && i < size;

  const forwardAt = (at: number): number => {
    const [n, oy, ox, c] = unflatten(at, g.y) as [number, number, number, number];
    let sum = 0;
    for (let ky = 0; ky < kernel; ky++)
      for (let kx = 0; kx < kernel; kx++) {
        const [iy, ix] = [under(oy, ky), under(ox, kx)];
        if (!inside(iy) || !inside(ix)) continue;
        for (let i = 0; i < from; i++)
          sum += x[flatten([n, iy, ix, i], g.x)]! * w[flatten([ky, kx, i, c], g.w)]!;
      }
    return sum;
  };
  const inputGradAt = (at: number): number => {
    const [n, iy, ix, i] = unflatten(at, g.x) as [number, number, number, number];
    let sum = 0;
    for (let ky = 0; ky < kernel; ky++)
      for (let kx = 0; kx < kernel; kx++) {
        const [oy, ox] = [(iy + g.pad - ky) / stride, (ix + g.pad - kx) / stride];
        if (![oy, ox].every((o) => Number.isInteger(o) && o >= 0 && o < g.out)) continue;
        for (let c = 0; c < to; c++)
          sum += dy[flatten([n, oy, ox, c], g.y)]! * w[flatten([ky, kx, i, c], g.w)]!;
      }
    return sum;
  };
  const weightGradAt = (at: number): number => {
    const [ky, kx, i, c] = unflatten(at, g.w) as [number, number, number, number];
    let sum = 0;
    for (let n = 0; n < batch; n++)
      for (let oy = 0; oy < g.out; oy++)
        for (let ox = 0; ox < g.out; ox++) {
          const [iy, ix] = [under(oy, ky), under(ox, kx)];
          if (inside(iy) && inside(ix))
            sum += x[flatten([n, iy, ix, i], g.x)]! * dy[flatten([n, oy, ox, c], g.y)]!;
        }
    return sum;
  };

  const make = (
    name: string,
    at: (i: number) => number,
    record: (x: Tensors) => ReturnType<typeof conv2d>,
  ): Case =>
    replayed({ name: `${name} ${text}`, unit: "GFLOP/s", work: g.work }, async (device) => {
      const tensors = { x: device.tensor(x, g.x), w: device.tensor(w, g.w), dy: device.tensor(dy, g.y) };
      return {
        step: () => record(tensors),
        check: ([y]) => {
          for (const i of samples(y!.length, 8)) expectClose(`element ${i}`, y![i]!, at(i), 1e-3);
        },
      };
    });
  return [
    make("conv2d", forwardAt, (v) => conv2d(v.x, v.w, options)),
    make("conv2dInputGrad", inputGradAt, (v) => conv2dInputGrad(v.dy, v.w, [size, size], options)),
    make("conv2dWeightGrad", weightGradAt, (v) => conv2dWeightGrad(v.x, v.dy, [kernel, kernel], options)),
  ];
}

type Tensors = Record<"x" | "w" | "dy", Parameters<typeof conv2d>[0]>;

export const convolutions: readonly Case[] = shapes.flatMap(ofShape);
