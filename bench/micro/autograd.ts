/** Gradients of @dawnstrap/autograd, and what recording them costs the host. */
import { grad, valueAndGrad } from "@dawnstrap/autograd";
import * as t from "@dawnstrap/tensor";
import type { Device, Tensor } from "@dawnstrap/tensor";
import { withHistory } from "@dawnstrap/tensor/extend";
import { type Case, expectClose, numbers, replayed } from "./case.js";

/** Runs the same small thing on the reference device. */
async function onReference(f: (device: Device) => readonly Tensor[]): Promise<Float64Array[]> {
  const reference = await t.openDevice("reference");
  const results = await Promise.all(f(reference).map((x) => x.float64()));
  await reference.destroy();
  return results;
}

function expectSame(
  got: readonly ArrayLike<number>[],
  want: readonly Float64Array[],
  tolerance: number,
): void {
  for (const [k, w] of want.entries())
    for (const i of [0, w.length >> 1, w.length - 1])
      expectClose(`element ${i} of result ${k}`, got[k]![i]!, w[i]!, tolerance);
}

const sizes = [784, 512, 512, 10] as const;
/** Loss and gradients of mean (MLP(x))² with respect to the weights. */
function mlp(device: Device, batch: number): () => readonly Tensor[] {
  const x = device.tensor(numbers(batch * sizes[0], 9), [batch, sizes[0]]);
  const weights = sizes.slice(1).map((to, k) => {
    const from = sizes[k]!;
    const scale = Math.sqrt(3 / from);
    return device.tensor(
      numbers(from * to, k).map((v) => v * scale),
      [from, to],
    );
  });
  return () => {
    const { value, grads } = valueAndGrad((...ws: Tensor[]) => {
      const y = ws.reduce((h, w, k) => (k ? t.matmul(t.relu(h), w) : t.matmul(h, w)), x);
      return t.mean(t.mul(y, y));
    })(...weights);
    return [value, ...grads];
  };
}

const products = sizes.slice(1).reduce((sum, to, k) => sum + sizes[k]! * to, 0);
const mlpCase = replayed(
  // The product for the input's gradient is not asked for in the first layer.
  {
    name: "gradient of an MLP 784-512-512-10, batch 128",
    unit: "GFLOP/s",
    work: 2 * 128 * (3 * products - sizes[0] * sizes[1]),
  },
  async (device) => {
    const small = (d: Device): readonly Tensor[] => mlp(d, 4)();
    return {
      step: mlp(device, 128),
      check: async () =>
        expectSame(await Promise.all(small(device).map((x) => x.float64())), await onReference(small), 1e-3),
    };
  },
);

/** Gradients through conv, norm, ReLU, conv, norm, sum with the input, ReLU. */
function block(device: Device, batch: number): () => readonly Tensor[] {
  const [size, c] = [14, 64];
  const x = device.tensor(numbers(batch * size * size * c, 4), [batch, size, size, c]);
  const ws = [5, 6].map((seed) =>
    device.tensor(
      numbers(9 * c * c, seed).map((v) => v / 14),
      [3, 3, c, c],
    ),
  );
  const [scale, offset] = [device.ones([c]), device.zeros([c])];
  return () => {
    const { value, grads } = valueAndGrad((input: Tensor, w1: Tensor, w2: Tensor) => {
      const norm = (y: Tensor): Tensor => t.batchNorm(y, scale, offset).y;
      const h = t.relu(norm(t.conv2d(input, w1, { padding: "same" })));
      const y = t.relu(t.add(norm(t.conv2d(h, w2, { padding: "same" })), input));
      return t.mean(t.mul(y, y));
    })(x, ws[0]!, ws[1]!);
    return [value, ...grads];
  };
}

const blockCase = replayed(
  {
    name: "gradient of a residual block 32×14×14×64",
    unit: "GFLOP/s",
    work: 2 * 3 * 2 * 32 * 14 * 14 * 9 * 64 * 64,
  },
  async (device) => {
    const small = (d: Device): readonly Tensor[] => block(d, 1)();
    return {
      step: block(device, 32),
      check: async () =>
        expectSame(await Promise.all(small(device).map((x) => x.float64())), await onReference(small), 1e-3),
    };
  },
);

const ops = 1000;
const chain = (x: Tensor): Tensor => {
  let y = x;
  for (let k = 0; k < ops / 2; k++) y = t.add(t.mul(y, 1.001), x);
  return y;
};

/** Host time only: nothing of this is computed. */
const recording: readonly Case[] = [
  {
    name: "host: record 1,000 ops",
    unit: "kops/s",
    work: ops,
    async setup(device) {
      const x = device.tensor([1, 2]);
      await device.flush();
      return {
        async check() {
          let want = 1;
          for (let k = 0; k < ops / 2; k++) want = want * 1.001 + 1;
          expectClose("the chain", (await chain(x).float64())[0]!, want, 1e-3);
        },
        async run() {
          withHistory(() => chain(x));
        },
      };
    },
  },
  {
    name: "host: record 1,000 ops and their VJPs",
    unit: "kops/s",
    work: ops,
    async setup(device) {
      const x = device.tensor([1, 2]);
      await device.flush();
      const gradient = grad((v: Tensor) => t.sum(chain(v)));
      return {
        async check() {
          let want = 1;
          for (let k = 0; k < ops / 2; k++) want = want * 1.001 + 1;
          expectClose("the gradient", (await gradient(x)[0]!.float64())[0]!, want, 1e-3);
        },
        async run() {
          withHistory(() => gradient(x));
        },
      };
    },
  },
];

export const cases: readonly Case[] = [mlpCase, blockCase, ...recording];
