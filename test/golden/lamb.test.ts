/** LAMB against its algorithm written out in PyTorch, float64, with PyTorch's gradients. */
import { grad } from "@dawnstrap/autograd";
import { Lamb, Module, Parameter, type ParameterKind } from "@dawnstrap/nn";
import {
  add,
  type Device,
  matmul,
  mul,
  openDevice,
  slice,
  sub,
  sum,
  type Tensor,
  tanh,
} from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tensor } from "./formula.js";
import { golden } from "./load.js";

type Name = "weight" | "bias" | "scale" | "zero";
const { options, shapes, steps } = golden<{
  options: { lr: number; weight_decay: number; beta1: number; beta2: number; epsilon: number };
  shapes: Readonly<Record<Name, readonly number[]>>;
  steps: readonly { loss: number; after: Readonly<Record<Name, readonly number[]>> }[];
}>("lamb");

const parameter = (name: Name, kind: ParameterKind): Parameter =>
  new Parameter(shapes[name], kind, (device) =>
    device.tensor(tensor(`lamb/${name}`, [...shapes[name]], name === "zero" ? 0 : 1), shapes[name]),
  );

class Net extends Module {
  readonly weight = parameter("weight", "weight");
  readonly bias = parameter("bias", "bias");
  readonly scale = parameter("scale", "norm");
  readonly zero = parameter("zero", "weight");

  loss(x: Tensor): Tensor {
    const y = mul(tanh(add(matmul(x, this.weight.value), this.bias.value)), this.scale.value);
    const d = sub(this.zero.value, slice(x, [0, 0], [2, 2]));
    return add(mul(y, y).mean(), sum(mul(d, d)));
  }
}

/** float32 rounds in every step; weights are of size 1. */
const tolerance = { reference: 3e-7, cpu: 5e-6, webgpu: 5e-6 };

describe.each(["reference", "cpu", "webgpu"] as const)("LAMB on %s", (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(kind);
  });
  afterAll(() => device.destroy());

  it("takes the steps of Algorithm 2", async () => {
    const net = new Net().init(device);
    const { lr, weight_decay: weightDecay, beta1, beta2, epsilon } = options;
    const optimizer = new Lamb(net.arena, { weightDecay, beta1, beta2, epsilon });
    const step = device.capture((x: Tensor, numbers: Tensor) => {
      const loss = net.loss(x);
      optimizer.update(grad(() => net.loss(x))(...net.arena.values()) as Tensor[], numbers);
      return loss;
    });
    for (const [k, { loss, after }] of steps.entries()) {
      const x = device.tensor(tensor(`lamb/x${k + 1}`, [5, 3]), [5, 3]);
      const got = await step(x, optimizer.numbers({ lr, step: k }));
      expect(Math.abs((await got.item()) - loss)).toBeLessThan(10 * tolerance[kind]);
      for (const [name, values] of Object.entries(after) as [Name, readonly number[]][]) {
        const now = await net[name].value.float64();
        for (const [i, want] of values.entries())
          expect(Math.abs(now[i]! - want), `${name}[${i}] after step ${k}`).toBeLessThan(tolerance[kind]);
      }
    }
    step.release();
  });
});
