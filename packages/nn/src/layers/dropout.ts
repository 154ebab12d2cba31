/** Dropout. */
import { DawnstrapError, div, randomBernoulli, StateError, type Tensor, where } from "@dawnstrap/tensor";
import { hashName } from "../init.js";
import { type ForwardOptions, Layer } from "../module.js";

/**
 * In training mode each element is zero with probability p, and divided by 1 − p otherwise; in evaluation
 * mode x itself. The draws are a function of the key given to `forward` and the layer's name. Srivastava et
 * al. 2014.
 */
export class Dropout extends Layer {
  constructor(readonly p = 0.5) {
    super();
    if (!(p >= 0 && p < 1)) throw new DawnstrapError(`Dropout: p is ${p} (use 0 up to, not including, 1)`);
  }

  forward(x: Tensor, { train, key }: ForwardOptions): Tensor {
    if (!train || this.p === 0) return x;
    if (!key)
      throw new StateError(
        "Dropout: training mode draws random numbers; give forward a key, fresh for every step",
      );
    const kept = randomBernoulli(key, x.shape, 1 - this.p, { stream: hashName(this.name) });
    return where(kept, div(x, 1 - this.p), 0);
  }
}
