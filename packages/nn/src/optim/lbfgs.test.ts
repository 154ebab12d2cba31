import { expect, it } from "vitest";
import { lbfgs } from "./lbfgs.js";

it("minimises a quadratic exactly", async () => {
  const found = await lbfgs(
    (at) => {
      const [x, y] = [at[0]!, at[1]!];
      return {
        value: (x - 3) ** 2 + 10 * (y + 1) ** 2,
        gradient: Float64Array.of(2 * (x - 3), 20 * (y + 1)),
      };
    },
    new Float64Array(2),
    { tolerance: 1e-9 },
  );
  expect(found.converged).toBe(true);
  expect(found.at[0]).toBeCloseTo(3, 8);
  expect(found.at[1]).toBeCloseTo(-1, 8);
});

it("minimises an ill-conditioned convex function, and says when it ran out of iterations", async () => {
  // Σ cosh(kᵢ(xᵢ − i)) with kᵢ from 1 to 30: the curvatures differ by 900.
  const rates = Array.from({ length: 12 }, (_, i) => 1 + (29 * i) / 11);
  const objective = async (x: Float64Array) => ({
    value: rates.reduce((s, k, i) => s + Math.cosh(k * (x[i]! - 0.01 * i)), 0),
    gradient: Float64Array.from(rates, (k, i) => k * Math.sinh(k * (x[i]! - 0.01 * i))),
  });
  const found = await lbfgs(objective, new Float64Array(12), { tolerance: 1e-6 });
  expect(found.converged).toBe(true);
  expect(found.value).toBeCloseTo(12, 10);
  const short = await lbfgs(objective, new Float64Array(12), { iterations: 3 });
  expect(short).toMatchObject({ iterations: 3, converged: false });
});
