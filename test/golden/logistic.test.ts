/** Logistic regression against SciPy's minimum (generator/logistic.py). */
import { lambdaGrid, LogisticProblem, type Targets } from "@dawnstrap/byol/tasks";
import { openDevice } from "@dawnstrap/tensor";
import { describe, expect, it } from "vitest";
import { tensor } from "./formula.js";
import { golden } from "./load.js";

interface Golden {
  readonly rows: number;
  readonly width: number;
  readonly classes: number;
  readonly labels: number[];
  readonly memberships: number[];
  readonly cases: { kind: "labels" | "memberships"; lambda: number; objective: number; w: number[] }[];
}

const { rows, width, classes, labels, memberships, cases } = golden<Golden>("logistic");
const features = tensor("logistic.x", [rows, width]);
const targetsOf = {
  labels: { labels: Int32Array.from(labels), classes },
  memberships: { memberships: Float32Array.from(memberships), classes },
} satisfies Record<string, Targets>;

describe.each(["cpu", "reference", "webgpu"] as const)("logistic regression on %s", (kind) => {
  it("reaches SciPy's minimum within 1e-4 of the objective", async () => {
    const device = await openDevice(kind);
    for (const { kind: of, lambda, objective, w } of cases) {
      const problem = new LogisticProblem(device, features, width, targetsOf[of]);
      // Ours is the mean over the rows.
      const found = await problem.minimise(lambda / rows, { iterations: 500, tolerance: 1e-6 });
      problem.release();
      expect(Math.abs(found.value * rows - objective) / objective, `${of}, λ ${lambda}`).toBeLessThan(1e-5);
      // A nearly unpenalised softmax is flat in some directions; its minimum is not where float32 can tell.
      if (lambda >= 1)
        for (const [i, v] of w.entries()) expect(Math.abs(found.at[i]! - v)).toBeLessThan(0.01);
    }
    await device.destroy();
  });
});

it("the grid of the paper: 45 values, 10^0.25 apart, from 1e-6 to 1e5", () => {
  expect(lambdaGrid).toHaveLength(45);
  const wanted = [1e-6, 1.778279e-6, 3.162278e-6];
  for (const [i, v] of wanted.entries()) expect(lambdaGrid[i]! / v).toBeCloseTo(1, 6);
  expect(lambdaGrid[43]! / 5.623413e4).toBeCloseTo(1, 6);
  expect(lambdaGrid[44]! / 1e5).toBeCloseTo(1, 12);
});
