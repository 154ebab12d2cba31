/** Every op's lowering, run without a device, against its float64 reference. */
import { describe, expect, it } from "vitest";
import { drawValues, generator, samplerOf } from "@dawnstrap/tensor/testing";
import { registry } from "../registry.js";
import { runLowered } from "./run.js";

const seed = Number(process.env.DAWNSTRAP_SEED);
const samples = Number(process.env.DAWNSTRAP_SAMPLES ?? 12);
const only = process.env.DAWNSTRAP_OP;

describe(`lowerings agree with their references (seed ${seed}, ${samples} samples an op)`, () => {
  for (const [name, op] of registry)
    it.skipIf(only !== undefined && !name.match(only))(name, () => {
      for (let i = 0; i < samples; i++) {
        const next = generator(seed + i * 7919);
        const int = (lo: number, hi: number): number => lo + Math.floor(next() * (hi - lo + 1));
        const sample = op.sample(samplerOf(int));
        const inputs = sample.inputs.map((spec) => drawValues(spec, next));
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
