/** Every op's lowering, run without a device, against its float64 reference; DAWNSTRAP_RUNS says how many cases of each. */
import { mismatch } from "@dawnstrap/tensor/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { caseOf, describeCase } from "../conformance/cases.js";
import { registry } from "../registry.js";
import { runLowered } from "./run.js";

const runs = Number(process.env.DAWNSTRAP_RUNS ?? 12);
const targets = [
  { like: "cpu", parallelism: 8 },
  { like: "gpu", parallelism: 4096 },
] as const;

describe("the lowering agrees with the reference:", () => {
  it.each([...registry.values()].map((op) => [op.name, op] as const))("%s", (_, op) => {
    fc.assert(
      fc.property(caseOf(op), (drawn) => {
        const outs = op.infer(drawn.inputs, drawn.params);
        const want = op.reference(drawn.inputs, drawn.params, outs);
        for (const target of targets) {
          const got = runLowered(op, drawn.inputs, drawn.params, target);
          want.forEach((w, k) => {
            const allowed = w.dtype === "float32" ? (op.tolerance ?? 1e-5) : 0;
            const worst = mismatch(got.outputs[k]!.data, w.data, allowed);
            expect(worst, `${describeCase(drawn)}: output ${k}, as for a ${target.like}`).toBeUndefined();
          });
        }
      }),
      { numRuns: runs },
    );
  });
});
