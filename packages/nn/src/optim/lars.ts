/** LARS, and SGD as LARS with adaptation off. */
import { add, div, greater, logicalAnd, minimum, mul, sqrt, type Tensor, where } from "@dawnstrap/tensor";
import type { ParamArena } from "../arena.js";
import { Optimizer, type OptimizerOptions } from "./optimizer.js";
import { momentumUpdateOp } from "./updates.js";

export interface SgdOptions extends OptimizerOptions {
  /** Default 0. */
  readonly momentum?: number;
  /** Default false. */
  readonly nesterov?: boolean;
}

/** Momentum without dampening; the learning rate is applied after the momentum. */
abstract class Momentum extends Optimizer {
  protected readonly update1;

  constructor(
    arena: ParamArena,
    adapts: boolean,
    { momentum = 0, nesterov = false, ...options }: SgdOptions,
  ) {
    super(arena, ["momentum"], adapts, options);
    this.update1 = { op: momentumUpdateOp, params: { momentum, nesterov } };
  }
}

/**
 * Stochastic gradient descent:  u = g + wd·w;  m ← momentum·m + u;  w ← w − lr·m  (Nesterov: w ← w − lr·(u +
 * momentum·m)). As PyTorch's SGD without dampening, except that biases and norms are not decayed by default
 * (`rules: []` decays all).
 */
export class Sgd extends Momentum {
  constructor(arena: ParamArena, options: SgdOptions = {}) {
    super(arena, false, options);
  }
}

export interface LarsOptions extends SgdOptions {
  /** Trust coefficient. Default 1e-3. */
  readonly eta?: number;
  /**
   * Denominator of the trust ratio. "official" (default; DeepMind's code): ‖g + wd·w‖. "lightning" (Lightning
   * Bolts, and after it lightly and solo-learn): ‖g‖ + wd·‖w‖ + eps, where parameters without decay are not adapted
   * either.
   */
  readonly variant?: "official" | "lightning";
  /** LARC: no adapted step is longer than the plain one would be; ratio ← min(ratio/lr, 1). Default false. */
  readonly clip?: boolean;
  /** Of the "lightning" denominator. Default 1e-8. */
  readonly eps?: number;
}

/**
 * Layer-wise adaptive rate scaling as in DeepMind's BYOL (byol-spec §1.5), for each parameter array w:
 *
 *     u = g + wd·w;  r = eta·‖w‖/‖u‖ if both norms are above 0, else 1;  m ← momentum·m + r·u;  w ← w − lr·m
 *
 * Excluded parameters (biases and norms by default) have wd = 0 and r = 1. You et al. 2017, arXiv 1708.03888.
 */
export class Lars extends Momentum {
  /** 1 where a segment is adapted, else 0. */
  private readonly adapted: Tensor;
  private readonly larsOptions: Required<Pick<LarsOptions, "eta" | "variant" | "clip" | "eps">>;

  constructor(
    arena: ParamArena,
    { eta = 1e-3, variant = "official", clip = false, eps = 1e-8, ...options }: LarsOptions = {},
  ) {
    super(arena, true, { momentum: 0.9, ...options });
    this.larsOptions = { eta, variant, clip, eps };
    const undecayed = variant === "lightning" && !options.weightDecay;
    this.adapted = this.perSegment(({ adapt, decay }) =>
      adapt && !(variant === "lightning" && (undecayed || !decay)) ? 1 : 0,
    );
  }

  protected override ratio(g: Tensor, rates: Tensor): Tensor {
    const { eta, variant, clip, eps } = this.larsOptions;
    const official = variant === "official";
    const [ww, uu] = this.tables.squares(this.arena.flat.value, g, this.decay, official);
    const [wn, un] = [sqrt(ww), sqrt(uu)];
    const denominator = official ? un : add(add(un, mul(this.decay, wn)), eps);
    const usable = logicalAnd(logicalAnd(greater(wn, 0), greater(un, 0)), greater(this.adapted, 0));
    const ratio = div(mul(wn, eta), denominator);
    const clipped = clip ? minimum(div(ratio, rates), 1) : ratio;
    return where(usable, clipped, 1);
  }
}
