/** Stochastic gradient descent with momentum: LARS with adaptation off. */
import { defineOptimizer } from "./define.js";
import type { Arithmetic, Element } from "./updates.js";

/** What the kernel of SGD and LARS is compiled with. */
interface Constants {
  readonly momentum: number;
  readonly nesterov: boolean;
}

/**
 *     u = g + decay·w;  m ← momentum·m + ratio·u;  w ← w − lr·m      (Nesterov: w ← w − lr·(ratio·u + momentum·m))
 *
 * Momentum without dampening; the learning rate is applied after the momentum.
 */
export const momentumCore = {
  kernel: "momentumUpdate",
  states: ["momentum"],
  step<V>(
    m: Arithmetic<V>,
    w: V,
    [velocity]: readonly V[],
    { g, decay, ratio, lr }: Element<V>,
    { momentum, nesterov }: Constants,
  ): V[] {
    const u = m.mul(ratio, m.add(g, m.mul(decay, w)));
    const next = m.add(m.mul(m.of(momentum), velocity!), u);
    const direction = nesterov ? m.add(u, m.mul(m.of(momentum), next)) : next;
    return [m.sub(w, m.mul(lr, direction)), next];
  },
} as const;

/**
 * Stochastic gradient descent:  u = g + wd·w;  m ← momentum·m + u;  w ← w − lr·m  (Nesterov: w ← w − lr·(u +
 * momentum·m)). As PyTorch's SGD without dampening, except that biases and norms are not decayed by default
 * (`rules: []` decays all).
 */
export const Sgd = defineOptimizer({
  name: "sgd",
  settings: {
    momentum: {
      kind: "number",
      fallback: 0,
      least: 0,
      most: 1,
      tried: [0, 0.5, 0.9],
      about: "of the velocity",
    },
    nesterov: { kind: "boolean", fallback: false, about: "look one step ahead" },
  },
  /** SimSiam's; lightly's benchmarks of BYOL take 0.06. */
  rates: { usual: 0.05, least: 1e-3, most: 1 },
  ...momentumCore,
});
