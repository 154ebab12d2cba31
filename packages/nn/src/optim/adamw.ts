/** Adam with decoupled weight decay (Loshchilov & Hutter, arXiv 1711.05101). */
import { defineOptimizer } from "./define.js";

/**
 *     w ← w − lr·wd·w;  m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²
 *     w ← w − lr·m̂/(√v̂ + epsilon),  m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ), t = step + 1
 *
 * As PyTorch's AdamW, except that biases and norms are not decayed by default.
 */
export const AdamW = defineOptimizer({
  name: "adamw",
  settings: {
    beta1: { kind: "number", fallback: 0.9, least: 0, most: 1, tried: [0, 0.9], about: "decay of the mean" },
    beta2: {
      kind: "number",
      fallback: 0.999,
      ...{ least: 0, most: 1, tried: [0.9, 0.99] },
      about: "decay of the mean square",
    },
    epsilon: { kind: "number", fallback: 1e-8, above: 0, tried: [1e-3], about: "of the denominator" },
  },
  /** What users of BYOL with Adam are advised to. */
  rates: { usual: 3e-4, least: 1e-6, most: 0.02 },
  states: ["mean", "square"],
  kernel: "adamUpdate",
  scalars: (step, { beta1, beta2 }) => [1 - beta1 ** (step + 1), 1 - beta2 ** (step + 1)],
  step(m, w, [mean, square], { g, decay, lr, scalar }, { beta1, beta2, epsilon }) {
    const nextMean = m.add(m.mul(m.of(beta1), mean!), m.mul(m.of(1 - beta1), g));
    const nextSquare = m.add(m.mul(m.of(beta2), square!), m.mul(m.of(1 - beta2), m.mul(g, g)));
    const denominator = m.add(m.sqrt(m.div(nextSquare, scalar("correction2"))), m.of(epsilon));
    const decayed = m.sub(w, m.mul(lr, m.mul(decay, w)));
    const change = m.div(m.div(nextMean, scalar("correction1")), denominator);
    return [m.sub(decayed, m.mul(lr, change)), nextMean, nextSquare];
  },
});
