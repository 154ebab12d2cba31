/** Layer-wise adaptive rate scaling (You et al. 2017, arXiv 1708.03888). */
import { add, div, greater, logicalAnd, minimum, mul, sqrt, where } from "@dawnstrap/tensor";
import { defineOptimizer } from "./define.js";
import { momentumCore } from "./sgd.js";

/**
 * LARS as in DeepMind's BYOL (byol/utils/optimizers.py of the released code), for each parameter array w:
 *
 *     u = g + wd·w;  r = trust·‖w‖/‖u‖ if both norms are above 0, else 1;  m ← momentum·m + r·u;  w ← w − lr·m
 *
 * Excluded parameters (biases and norms by default) have wd = 0 and r = 1.
 */
export const Lars = defineOptimizer({
  name: "lars",
  settings: {
    momentum: { kind: "number", fallback: 0.9, least: 0, most: 1, about: "of the velocity" },
    variant: {
      kind: "choice",
      choices: ["official", "lightning"],
      fallback: "official",
      about:
        "denominator of the trust ratio: ‖g + wd·w‖ (official: the paper's code), or ‖g‖ + wd·‖w‖ + epsilon (Lightning " +
        "Bolts, and after it lightly and solo-learn), where parameters without decay are not adapted either",
    },
    clip: {
      kind: "boolean",
      fallback: false,
      about: "no adapted step is longer than the plain one would be: ratio ← min(ratio/lr, 1) (LARC)",
    },
    trust: { kind: "number", fallback: 1e-3, above: 0, about: "trust coefficient" },
    epsilon: { kind: "number", fallback: 1e-8, above: 0, rare: true, about: "of lightning's denominator" },
  },
  /** The paper's 0.2 at 1000 epochs; small data sets take up to 2. */
  rates: { usual: 0.2, least: 0.02, most: 10 },
  ...momentumCore,
  constants: ({ momentum }) => ({ momentum, nesterov: false }),
  adaptation: {
    tables({ variant }, weightDecay) {
      const lightning = variant === "lightning";
      const undecayed = lightning && weightDecay === 0;
      return { adapted: ({ adapt, decay }) => (adapt && !(lightning && (undecayed || !decay)) ? 1 : 0) };
    },
    ratio({ settings: { trust, variant, clip, epsilon }, g, decay, rates, tables: { adapted }, squares }) {
      const official = variant === "official";
      const [ww, uu] = squares(g, official);
      const [wn, un] = [sqrt(ww), sqrt(uu)];
      const denominator = official ? un : add(add(un, mul(decay, wn)), epsilon);
      const usable = logicalAnd(logicalAnd(greater(wn, 0), greater(un, 0)), greater(adapted!, 0));
      const ratio = div(mul(wn, trust), denominator);
      const clipped = clip ? minimum(div(ratio, rates), 1) : ratio;
      return where(usable, clipped, 1);
    },
  },
});
