/** A small conv net with everything that a training step has: batch statistics, gradients, optimiser state, an average of the weights. */
import { valueAndGrad } from "@dawnstrap/autograd";
import {
  Activation,
  AdamW,
  BatchNorm,
  Conv2d,
  crossEntropy,
  GlobalAvgPool,
  Linear,
  Sequential,
} from "@dawnstrap/nn";
import { concat, type Device, mean, reshape, type Tensor } from "@dawnstrap/tensor";

const batch = 16;
const side = 10;
const classes = 3;
const image = side * side * 2;

export interface Trainer {
  /** Records one step; returns its loss and its mean logit, float32 [2]. */
  step(x: Tensor, labels: Tensor, scalars: Tensor): Tensor;
  /** Images, labels and numbers of a step. */
  inputs(step: number): readonly [Tensor, Tensor, Tensor];
}

export function makeTrainer(device: Device): Trainer {
  const make = (): Sequential =>
    new Sequential(
      new Conv2d(2, 4, 3, { bias: false }),
      new BatchNorm(4),
      new Activation("relu"),
      new Conv2d(4, 6, 3, { stride: 2 }),
      new Activation("relu"),
      new GlobalAvgPool(),
      new Linear(6, classes),
    ).init(device, { seed: 1 });
  const [model, average] = [make(), make()];
  const optimizer = new AdamW(model.arena, { weightDecay: 1e-4, target: average.arena });
  return {
    step(x, labels, scalars) {
      const { value, grads, aux } = valueAndGrad(() => {
        const logits = model.forward(x, { train: true });
        return { loss: crossEntropy(logits, labels), aux: mean(logits) };
      })(...model.arena.values());
      optimizer.update(grads, scalars);
      return concat([reshape(value, [1]), reshape(aux, [1])]);
    },
    inputs(step) {
      const pixels = Float32Array.from({ length: batch * image }, (_, i) => {
        const label = Math.floor(i / image) % classes;
        return Math.sin(i * 0.7 + 0.1 * step) + (i % 2 ? label - 1 : 0);
      });
      const labels = Int32Array.from({ length: batch }, (_, i) => i % classes);
      return [
        device.tensor(pixels, [batch, side, side, 2]),
        device.tensor(labels),
        optimizer.numbers({ lr: 1e-2, tau: 0.99, step }),
      ];
    },
  };
}
