/** Adam with decoupled weight decay (Loshchilov & Hutter, arXiv 1711.05101). */
import { defineOptimizer } from "./define.js";
import type { Arithmetic, Element } from "./updates.js";

/** What the moments are compiled with. */
interface Constants {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** Adam's moments, as AdamW and LAMB keep them. */
export const adamCore = {
  settings: {
    beta1: { kind: "number", fallback: 0.9, least: 0, most: 1, tried: [0, 0.9], about: "decay of the mean" },
    beta2: {
      kind: "number",
      fallback: 0.999,
      ...{ least: 0, most: 1, tried: [0.9, 0.99] },
      about: "decay of the mean square",
    },
  },
  states: ["mean", "square"],
  scalars: (step: number, { beta1, beta2 }: Constants): [number, number] => [
    1 - beta1 ** (step + 1),
    1 - beta2 ** (step + 1),
  ],
} as const;

/** m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²;  change = m̂/(√v̂ + epsilon), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ). */
export function moments<V>(
  m: Arithmetic<V>,
  [mean, square]: readonly V[],
  { g, scalar }: Pick<Element<V>, "g" | "scalar">,
  { beta1, beta2, epsilon }: Constants,
): { readonly mean: V; readonly square: V; readonly change: V } {
  const nextMean = m.add(m.mul(m.of(beta1), mean!), m.mul(m.of(1 - beta1), g));
  const nextSquare = m.add(m.mul(m.of(beta2), square!), m.mul(m.of(1 - beta2), m.mul(g, g)));
  const denominator = m.add(m.sqrt(m.div(nextSquare, scalar("correction2"))), m.of(epsilon));
  const change = m.div(m.div(nextMean, scalar("correction1")), denominator);
  return { mean: nextMean, square: nextSquare, change };
}

/**
 *     w ← w − lr·wd·w;  m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²
 *     w ← w − lr·m̂/(√v̂ + epsilon),  m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ), t = step + 1
 *
 * As PyTorch's AdamW, except that biases and norms are not decayed by default.
 */
export const AdamW = defineOptimizer({
  ...adamCore,
  name: "adamw",
  settings: {
    ...adamCore.settings,
    epsilon: { kind: "number", fallback: 1e-8, above: 0, tried: [1e-3], about: "of the denominator" },
  },
  /** What users of BYOL with Adam are advised to. */
  rates: { usual: 3e-4, least: 1e-6, most: 0.02 },
  kernel: "adamUpdate",
  step(m, w, states, x, constants) {
    const { mean, square, change } = moments(m, states, x, constants);
    const decayed = m.sub(w, m.mul(x.lr, m.mul(x.decay, w)));
    return [m.sub(decayed, m.mul(x.lr, change)), mean, square];
  },
});
