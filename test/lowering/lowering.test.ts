/** Every op's lowering, run without a device, against its float64 reference. */
import "../../packages/tensor/src/ops/index.js";
import { describe, expect, it } from "vitest";
import { type NdArray, ops, type Sampler, type TensorSpec } from "../../packages/tensor/src/op.js";
import { numel } from "../../packages/tensor/src/shape.js";
import { runLowered } from "./run.js";

const seed = Number(process.env.DAWNSTRAP_SEED);
const samples = Number(process.env.DAWNSTRAP_SAMPLES ?? 12);
const only = process.env.DAWNSTRAP_OP;

/** Mulberry32. */
function random(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function sampler(next: () => number): Sampler {
  const int = (lo: number, hi: number): number => lo + Math.floor(next() * (hi - lo + 1));
  return {
    int,
    pick: (items) => items[int(0, items.length - 1)]!,
    bool: () => next() < 0.5,
    shape: ({ rank = [0, 4], max = 600 } = {}) => {
      const shape: number[] = [];
      for (let k = int(rank[0], rank[1]); k > 0; k--) {
        const most = Math.floor(max / numel(shape));
        shape.push(Math.max(1, Math.min(most, [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33][int(0, 10)]!)));
      }
      return shape;
    },
  };
}

function draw(
  { shape, dtype = "float32", range = [-2, 2], avoid = [], distinct }: TensorSpec,
  next: () => number,
): NdArray {
  const [lo, hi] = range;
  const n = numel(shape);
  const order = Array.from({ length: n }, (_, i) => i);
  if (distinct)
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
  const data = Float64Array.from(order, (k) => {
    if (distinct) return Math.fround(lo + ((hi - lo) * (k + 0.5)) / n);
    if (dtype !== "float32") return lo + Math.floor(next() * (hi - lo + 1));
    for (;;) {
      const v = Math.fround(lo + next() * (hi - lo));
      if (avoid.every((a) => Math.abs(v - a) >= 0.05)) return v;
    }
  });
  return { shape, dtype, data: dtype === "bool" ? data.map((v) => (v > 0 ? 1 : 0)) : data };
}

describe(`lowerings agree with their references (seed ${seed}, ${samples} samples an op)`, () => {
  for (const [name, op] of ops)
    it.skipIf(only !== undefined && !name.match(only))(name, () => {
      for (let i = 0; i < samples; i++) {
        const next = random(seed + i * 7919);
        const sample = op.sample(sampler(next));
        const inputs = sample.inputs.map((spec) => draw(spec, next));
        const outs = op.infer(inputs, sample.params);
        const want = op.reference(inputs, sample.params, outs);
        const what = `${name} ${JSON.stringify(sample)} seed ${seed} sample ${i}`;
        for (const options of [
          { kind: "cpu", parallelism: 8 },
          { kind: "webgpu", parallelism: 4096 },
        ] as const) {
          const got = runLowered(op, inputs, sample.params, options);
          want.forEach((w, k) => {
            const g = got.outputs[k]!;
            expect(g.data.length, what).toBe(w.data.length);
            const scale = Math.max(1, ...w.data.map((v) => (Number.isFinite(v) ? Math.abs(v) : 0)));
            const allowed = w.dtype === "float32" ? (op.tolerance ?? 1e-5) * scale : 0;
            w.data.forEach((v, j) => {
              const x = g.data[j]!;
              const same = Object.is(v, x) || v === x || Math.abs(v - x) <= allowed;
              if (!same) expect.fail(`${what}: output ${k}[${j}] is ${x}, ${v} is wanted (${options.kind})`);
            });
          });
        }
      }
    });
});
