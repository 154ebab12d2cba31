/** Layers, a training step and optimiser updates of @dawnstrap/nn. */
import { valueAndGrad } from "@dawnstrap/autograd";
import {
  AdamW,
  crossEntropy,
  Lars,
  Module,
  type Optimizer,
  Parameter,
  ResNet,
  resnet,
  zeros,
} from "@dawnstrap/nn";
import { batchNorm, type Device, mul, openDevice, sum, type Tensor } from "@dawnstrap/tensor";
import { type Case, expectClose, numbers, replayed } from "./case.js";

/** The smallest ResNet that has every part: stem, two groups, a projection, a classifier. */
function resnetStep(device: Device, batch: number): () => readonly Tensor[] {
  const model = new ResNet({
    blocks: [1, 1],
    baseWidth: 16,
    stem: "small",
    inputChannels: 3,
    classes: 10,
  }).init(device, { seed: 1 });
  const optimizer = new AdamW(model.arena, { weightDecay: 1e-4 });
  const images = device.tensor(numbers(batch * 28 * 28 * 3), [batch, 28, 28, 3]);
  const labels = device.tensor(Int32Array.from({ length: batch }, (_, i) => i % 10));
  const scalars = optimizer.numbers({ lr: 1e-3 });
  return () => {
    const { value, grads } = valueAndGrad(() => crossEntropy(model.forward(images, { train: true }), labels))(
      ...model.arena.values(),
    );
    optimizer.update(grads, scalars);
    return [value];
  };
}

/** Loss of the first two steps of a small batch. */
async function firstLosses(device: Device): Promise<number[]> {
  const step = device.capture(resnetStep(device, 4));
  const losses: number[] = [];
  for (let i = 0; i < 2; i++) losses.push(await (await step())[0]!.item());
  step.release();
  return losses;
}

const training = replayed(
  { name: "training step of a tiny ResNet, batch 64", unit: "images/s", work: 64 },
  async (device) => ({
    step: resnetStep(device, 64),
    check: async () => {
      const reference = await openDevice("reference");
      const [got, want] = [await firstLosses(device), await firstLosses(reference)];
      for (const [i, w] of want.entries()) expectClose(`loss ${i}`, got[i]!, w, 1e-3);
      await reference.destroy();
    },
  }),
);

const bnShape = [64, 28, 28, 32];
const norm = replayed(
  // Forward reads twice and writes once, backward reads the input and the gradient twice and writes once.
  { name: "batch norm 64×28×28×32, forward and backward", unit: "GB/s", work: 8 * 4 * 64 * 28 * 28 * 32 },
  async (device) => {
    const data = numbers(64 * 28 * 28 * 32);
    const x = device.tensor(data, bnShape);
    const weights = device.tensor(numbers(data.length, 2), bnShape);
    const [scale, offset] = [device.ones([32]), device.zeros([32])];
    return {
      step: () => {
        const { value, grads } = valueAndGrad((v: Tensor) =>
          sum(mul(batchNorm(v, scale, offset).y, weights)),
        )(x);
        return [value, grads[0]!];
      },
      check: ([, gradient]) => {
        // Whatever the cotangent, the gradient of a normalised channel has mean 0 and is orthogonal to the input.
        let [total, product, size] = [0, 0, 0];
        for (let i = 5; i < data.length; i += 32) {
          total += gradient![i]!;
          product += gradient![i]! * data[i]!;
          size += Math.abs(gradient![i]!);
        }
        expectClose("mean of the gradient", total / size, 0, 1e-3);
        expectClose("gradient along the input", product / size, 0, 1e-3);
        if (!(size > 1)) throw new Error(`wrong: the gradient vanishes, ${size}`);
      },
    };
  },
);

/** Parameters of a network without the network: same names, kinds and shapes, all zeros. */
class Shapes extends Module {
  readonly all: Parameter[];
  constructor(of: Module) {
    super();
    this.all = of.parameters().map(({ shape, kind }) => new Parameter(shape, kind, zeros));
  }
}

function update(name: string, floats: number, make: (online: Module, target: Module) => Optimizer): Case {
  const shapes = (): Shapes => new Shapes(resnet(50, { classes: 1000 }));
  const parameters = shapes().all.reduce((n, { shape }) => n + shape.reduce((m, d) => m * d, 1), 0);
  return replayed(
    { name: `${name} and average of ResNet-50's weights`, unit: "GB/s", work: 4 * floats * parameters },
    async (device) => {
      const [online, target] = [shapes().init(device), shapes().init(device)];
      const optimizer = make(online, target);
      const gradient = device.tensor(numbers(online.arena.length));
      const scalars = optimizer.numbers({ lr: 0.1, tau: 0.5 });
      return {
        step: () => {
          optimizer.update(gradient, scalars);
          return [sum(online.arena.value(0)), sum(target.arena.value(0))];
        },
        // From zeros, the average has moved by a half of what the weights did.
        check: ([weights, average]) => {
          expectClose("average", average![0]!, weights![0]! / 2, 1e-4);
          if (!(Math.abs(weights![0]!) > 0)) throw new Error("wrong: the weights have not moved");
        },
      };
    },
  );
}

export const cases: readonly Case[] = [
  training,
  norm,
  // Reads and writes of weights, momentum and target; reads of the gradient, and of it and the weights for the norms.
  update("LARS", 9, (online, target) => new Lars(online.arena, { weightDecay: 1e-6, target: target.arena })),
  update(
    "AdamW",
    9,
    (online, target) => new AdamW(online.arena, { weightDecay: 1e-6, target: target.arena }),
  ),
];
