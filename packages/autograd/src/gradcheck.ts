/** `gradcheck`: does the gradient agree with finite differences? */
import { DawnstrapError, type Tensor } from "@dawnstrap/tensor";
import { valueAndGrad } from "./grad.js";

export interface GradcheckOptions {
  /** Step of the central difference. Default 1e-5, for a float64 (`reference`) device. */
  readonly step?: number;
  /** Allowed |difference| ÷ (1 + |numeric|). Default 1e-6. */
  readonly tolerance?: number;
  /** Random directions to try. Default 3. */
  readonly directions?: number;
  /** Seed of the directions. Default 1. */
  readonly seed?: number;
}

/**
 * Compares the gradient g of a scalar function with central differences along random unit directions d:
 * ⟨g, d⟩ against (f(x + h·d) − f(x − h·d)) ÷ 2h. Meant for the `reference` device, which calculates in float64.
 *
 * @throws DawnstrapError naming the direction and both numbers when they disagree.
 */
export async function gradcheck(
  f: (...xs: Tensor[]) => Tensor,
  xs: readonly Tensor[],
  options: GradcheckOptions = {},
): Promise<void> {
  const { step = 1e-5, tolerance = 1e-6, directions = 3, seed = 1 } = options;
  const device = xs[0]?.device;
  if (!device) throw new DawnstrapError("gradcheck: needs at least one argument");
  const { grads } = valueAndGrad(f)(...xs);
  const analytic = await Promise.all(grads.map((g) => g.float64()));
  const points = await Promise.all(xs.map((x) => x.float64()));
  const next = generator(seed);
  for (let k = 0; k < directions; k++) {
    const d = points.map((p) => Float64Array.from(p, () => next() * 2 - 1));
    const length = Math.sqrt(d.reduce((s, v) => s + v.reduce((a, b) => a + b * b, 0), 0)) || 1;
    for (const v of d) v.forEach((_, i) => (v[i]! /= length));
    const at = async (h: number): Promise<number> => {
      const moved = points.map((p, i) =>
        device.tensor(
          Float64Array.from(p, (v, j) => v + h * d[i]![j]!),
          xs[i]!.shape,
          "float32",
        ),
      );
      return (await f(...moved).float64())[0]!;
    };
    const numeric = ((await at(step)) - (await at(-step))) / (2 * step);
    const along = analytic.reduce((s, g, i) => s + g.reduce((a, v, j) => a + v * d[i]![j]!, 0), 0);
    if (!(Math.abs(numeric - along) <= tolerance * (1 + Math.abs(numeric))))
      throw new DawnstrapError(
        `gradcheck: direction ${k} (seed ${seed}): finite difference ${numeric}, gradient ${along}`,
      );
  }
}

/** A small multiplicative generator; directions need no better. */
function generator(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state = Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9;
    state >>>= 0;
    return state / 4294967296;
  };
}
