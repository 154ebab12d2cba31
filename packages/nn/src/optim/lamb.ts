/** LAMB: layer-wise adaptive moments for large batches (You et al. 2020, arXiv 1904.00962, Algorithm 2). */
import { add, div, greater, logicalAnd, mul, sqrt, where } from "@dawnstrap/tensor";
import { adamCore, moments } from "./adamw.js";
import { defineOptimizer } from "./define.js";

/**
 * For each parameter array w, with Adam's moments m and v of its gradient (corrected for their start at 0):
 *
 *     u = m̂/(√v̂ + epsilon) + wd·w;  w ← w − lr·r·u,  r = ‖w‖/‖u‖ if both norms are above 0, else 1
 *
 * φ of the paper is the identity. Excluded parameters (biases and norms by default) have wd = 0 and r = 1.
 */
export const Lamb = defineOptimizer({
  ...adamCore,
  name: "lamb",
  settings: {
    ...adamCore.settings,
    epsilon: { kind: "number", fallback: 1e-6, above: 0, tried: [1e-3], about: "of the denominator" },
  },
  /** The paper's 0.005 for ImageNet at a batch of 512, by its square root rule. */
  rates: { usual: 0.0035, least: 5e-4, most: 0.1 },
  step(m, w, states, x, constants) {
    const { mean, square, change } = moments(m, states, x, constants);
    const u = m.add(change, m.mul(x.decay, w));
    return [m.sub(w, m.mul(x.lr, m.mul(x.ratio, u))), mean, square];
  },
  adaptation: {
    tables: () => ({ adapted: ({ adapt }) => (adapt ? 1 : 0) }),
    ratio({ settings, g, states: [mean, square], corrections: [c1, c2], tables: { adapted }, squares }) {
      const { beta1, beta2, epsilon } = settings;
      const nextMean = add(mul(mean!, beta1), mul(g, 1 - beta1));
      const nextSquare = add(mul(square!, beta2), mul(mul(g, g), 1 - beta2));
      const change = div(div(nextMean, c1), add(sqrt(div(nextSquare, c2)), epsilon));
      const [wn, un] = squares(change, true).map((s) => sqrt(s)) as [typeof g, typeof g];
      const usable = logicalAnd(logicalAnd(greater(wn, 0), greater(un, 0)), greater(adapted!, 0));
      return where(usable, div(wn, un), 1);
    },
  },
});
