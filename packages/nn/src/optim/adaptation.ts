/** Layer-wise adaptation: what a trust ratio may be made of. */
import type { Tensor } from "@dawnstrap/tensor";

/** What a trust ratio is made of. Per-parameter values are float32 [segments]. */
export interface Adaptation<S> {
  readonly settings: S;
  /** The weights and the (guarded) gradient, flat as the arena. */
  readonly w: Tensor;
  readonly g: Tensor;
  /** What the optimiser keeps, flat as the arena. */
  readonly states: readonly Tensor[];
  /** Weight decay and learning rate of each parameter. */
  readonly decay: Tensor;
  readonly rates: Tensor;
  /** The tables of the definition. */
  readonly tables: Readonly<Record<string, Tensor>>;
  /** The two numbers of `scalars`, each float32 [1]. */
  readonly corrections: readonly [Tensor, Tensor];
  /** Σw² and Σu² of each parameter; u is `x` + decay·w where `decayed`, else `x`. */
  squares(x: Tensor, decayed: boolean): readonly [ww: Tensor, uu: Tensor];
}
