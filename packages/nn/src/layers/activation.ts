/** Activations, dropout and reshaping as layers. */
import { gelu, leakyRelu, relu, reshape, sigmoid, silu, tanh, type Tensor } from "@dawnstrap/tensor";
import { Layer } from "../module.js";

/** Any function of one tensor as a layer. */
export class Lambda extends Layer {
  constructor(private readonly fn: (x: Tensor) => Tensor) {
    super();
  }
  forward(x: Tensor): Tensor {
    return this.fn(x);
  }
}

const activations = { relu, gelu, silu, sigmoid, tanh, leakyRelu: (x: Tensor) => leakyRelu(x) };
export type ActivationName = keyof typeof activations;

/** A pointwise non-linearity, by name. */
export class Activation extends Layer {
  constructor(readonly kind: ActivationName = "relu") {
    super();
  }
  forward(x: Tensor): Tensor {
    return activations[this.kind](x);
  }
}

/** [batch, …] → [batch, product]. */
export class Flatten extends Layer {
  forward(x: Tensor): Tensor {
    return reshape(x, [x.shape[0]!, x.shape.slice(1).reduce((n, d) => n * d, 1)]);
  }
}
