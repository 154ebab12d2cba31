/** The benchmark of memory: what it counts, and that checkpoints save what they are for. */
import { valueAndGrad } from "@dawnstrap/autograd";
import { BatchNorm, Conv2d, Linear, Module, ResNet, Sgd } from "@dawnstrap/nn";
import {
  add,
  type Device,
  matmul,
  mean,
  openDevice,
  relu,
  reshape,
  sum,
  type Tensor,
} from "@dawnstrap/tensor";
import { planningDevice } from "@dawnstrap/tensor/extend";
import { expect, it } from "vitest";
import { keptForBackward } from "../../bench/plan/kept.js";

class Small extends Module {
  readonly conv = new Conv2d(3, 5, 1, { bias: false });
  readonly norm = new BatchNorm(5);
  readonly linear = new Linear(80, 7);

  forward(x: Tensor): Tensor {
    const y = relu(this.norm.forward(this.conv.forward(x), { train: true }));
    return sum(this.linear.forward(reshape(y, [2, 80])));
  }
}

it("counts what derivatives read, each array once", async () => {
  const device = await openDevice("reference");
  const net = new Small().init(device);
  const loss = net.forward(device.zeros([2, 4, 4, 3]));
  const images = 2 * 4 * 4 * 3;
  // The images are made by an op here; beside them, what the norm reads, and what the ReLU gives to the linear layer.
  expect(keptForBackward(loss.node)).toBe(4 * (images + 2 * (2 * 4 * 4 * 5)));
  await device.destroy();
});

it("plans less than half of the temporaries with checkpoints by stage or by block", async () => {
  const cpu = await openDevice("cpu");
  const arenas = async (checkpoint?: "stage" | "block"): Promise<number> => {
    const device = planningDevice(cpu);
    const net = new ResNet({ block: "bottleneck", blocks: [2, 2, 2], baseWidth: 8, checkpoint }).init(device);
    const optimizer = new Sgd(net.arena, { momentum: 0.9 });
    const step = device.capture((x1: Tensor, x2: Tensor, scalars: Tensor) => {
      const pass = (x: Tensor): Tensor => mean(net.forward(x, { train: true }));
      const { value, grads } = valueAndGrad(() => add(pass(x1), pass(x2)))(...net.arena.values());
      optimizer.update(grads, scalars);
      return value;
    });
    const images = (): Tensor => device.tensor(new Float32Array(2 * 96 * 96 * 3), [2, 96, 96, 3]);
    await step(images(), images(), optimizer.numbers({ lr: 0.1 }));
    return device.memory().arena;
  };
  const all = await arenas();
  expect(await arenas("stage")).toBeLessThan(all / 2);
  expect(await arenas("block")).toBeLessThan(all / 2);
  await cpu.destroy();
});

it("a planning device counts the kernels that the device runs", async () => {
  const cpu = await openDevice("cpu");
  const kernels = async (device: Device): Promise<number> => {
    const step = device.capture((x: Tensor) => sum(relu(matmul(x, x))));
    const before = device.backend!.counters.dispatches;
    await step(device.tensor(new Float32Array(64 * 64), [64, 64]));
    await device.idle();
    return device.backend!.counters.dispatches - before;
  };
  expect(await kernels(planningDevice(cpu))).toBe(await kernels(cpu));
  await cpu.destroy();
});
