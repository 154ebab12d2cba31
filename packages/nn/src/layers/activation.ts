/** Activations, dropout and reshaping as layers. */
import { gelu, leakyRelu, relu, reshape, sigmoid, silu, tanh, type Tensor } from "@dawnstrap/tensor";
import { Module } from "../module.js";

/** Any function of one tensor as a layer. */
export class Lambda extends Module {
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
export class Activation extends Module {
  constructor(readonly kind: ActivationName = "relu") {
    super();
  }
  forward(x: Tensor): Tensor {
    return activations[this.kind](x);
  }
}

/** [batch, …] → [batch, product]. */
export class Flatten extends Module {
  forward(x: Tensor): Tensor {
    return reshape(x, [x.shape[0]!, x.shape.slice(1).reduce((n, d) => n * d, 1)]);
  }
}
