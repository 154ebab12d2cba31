/** AdamW: Adam with decoupled weight decay. */
import type { ParamArena } from "../arena.js";
import { Optimizer, type OptimizerOptions } from "./optimizer.js";
import { adamUpdateOp } from "./updates.js";

export interface AdamWOptions extends OptimizerOptions {
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly eps?: number;
}

/**
 *     w ← w − lr·wd·w;  m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²
 *     w ← w − lr·m̂/(√v̂ + eps),  m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ), t = step + 1
 *
 * Loshchilov & Hutter, arXiv 1711.05101; as PyTorch's AdamW, except that biases and norms are not decayed by
 * default.
 */
export class AdamW extends Optimizer {
  protected readonly update1;
  private readonly betas: readonly [number, number];

  constructor(arena: ParamArena, { beta1 = 0.9, beta2 = 0.999, eps = 1e-8, ...options }: AdamWOptions = {}) {
    super(arena, ["mean", "square"], false, options);
    this.update1 = { op: adamUpdateOp, params: { beta1, beta2, eps } };
    this.betas = [beta1, beta2];
  }

  protected override corrections(step: number): [number, number] {
    const [b1, b2] = this.betas;
    return [1 - b1 ** (step + 1), 1 - b2 ** (step + 1)];
  }
}
