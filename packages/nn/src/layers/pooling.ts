/** Pooling layers over image batches [batch, h, w, channels]. */
import { avgPool2d, globalAvgPool, maxPool2d, type PoolOptions, type Tensor } from "@dawnstrap/tensor";
import { Layer } from "../module.js";

/** Maximum over square windows. The stride is the window's size unless given. */
export class MaxPool extends Layer {
  constructor(
    readonly window: number,
    private readonly options: PoolOptions = {},
  ) {
    super();
  }
  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.window, this.options);
  }
}

/** Mean over square windows. The stride is the window's size unless given. */
export class AvgPool extends Layer {
  constructor(
    readonly window: number,
    private readonly options: PoolOptions = {},
  ) {
    super();
  }
  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.window, this.options);
  }
}

/** Mean over all pixels: [batch, h, w, channels] → [batch, channels]. */
export class GlobalAvgPool extends Layer {
  forward(x: Tensor): Tensor {
    return globalAvgPool(x);
  }
}
