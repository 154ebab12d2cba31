/**
 * SGD (plain, momentum, Nesterov) and AdamW against torch.optim, three steps each on a small convolutional
 * net.
 */
import { valueAndGrad } from "@dawnstrap/autograd";
import {
  Activation,
  AdamW,
  BatchNorm,
  Conv2d,
  crossEntropy,
  Lambda,
  Linear,
  MaxPool,
  type Optimizer,
  type ParamArena,
  Sequential,
  Sgd,
} from "@dawnstrap/nn";
import { openDevice, permute, reshape, type Tensor } from "@dawnstrap/tensor";
import { describe, expect, it } from "vitest";
import { type Digest, deviations } from "./digest.js";
import { images, labels } from "./formula.js";
import { floatsOf, golden, loadFormula } from "./load.js";

interface Run {
  readonly options: {
    readonly lr: number;
    readonly momentum?: number;
    readonly nesterov?: boolean;
    readonly weight_decay: number;
    readonly betas?: readonly [number, number];
    readonly eps?: number;
  };
  readonly [step: `step${number}`]: {
    readonly loss: number;
    readonly parameters: Readonly<Record<string, Digest>>;
  };
}
type Kind = "sgd" | "momentum" | "nesterov" | "adamw";
type Golden = Record<Kind, Run> & { batch: number; size: number; classes: number; steps: number };

/** torch.optim decays every parameter it is given: no exclusions here. */
function optimizerOf(
  kind: Kind,
  arena: ParamArena,
  { momentum = 0, nesterov = false, weight_decay, betas, eps }: Run["options"],
): Optimizer {
  const common = { weightDecay: weight_decay, rules: [] };
  return kind === "adamw"
    ? new AdamW(arena, { ...common, beta1: betas![0], beta2: betas![1], epsilon: eps! })
    : new Sgd(arena, { ...common, momentum, nesterov });
}

/** PyTorch flattens [channels, h, w]; ours are [h, w, channels]. */
const flattenAsTorch = (x: Tensor): Tensor => reshape(permute(x, [0, 3, 1, 2]), [x.shape[0]!, -1]);

const want = golden<Golden>("optimizers");
const kinds: Kind[] = ["sgd", "momentum", "nesterov", "adamw"];

/**
 * Three float32 steps of weights around 1 against float64: each rounds by 6e-8, and gradients carry about
 * 1e-6.
 */
const TOLERANCE = 2e-5;

describe.each(["reference", "cpu", "webgpu"] as const)("torch.optim on %s", (deviceKind) => {
  it.each(kinds)("%s", async (kind) => {
    const device = await openDevice(deviceKind);
    const features = 8 * (want.size / 2) ** 2;
    const net = new Sequential(
      new Conv2d(3, 8, 3, { padding: "torch", bias: false }),
      new BatchNorm(8),
      new Activation(),
      new MaxPool(2),
      new Lambda(flattenAsTorch),
      new Linear(features, want.classes),
    ).init(device);
    await loadFormula(net);
    const run = want[kind];
    const optimizer = optimizerOf(kind, net.arena, run.options);
    const step = device.capture((x: Tensor, y: Tensor, scalars: Tensor) => {
      const { value, grads } = valueAndGrad(() => crossEntropy(net.forward(x, { train: true }), y))(
        ...net.arena.values(),
      );
      optimizer.update(grads, scalars);
      return value;
    });
    for (let k = 0; k < want.steps; k++) {
      const x = device.tensor(images(`optimizer/images/${k}`, [want.batch, 3, want.size, want.size]), [
        want.batch,
        want.size,
        want.size,
        3,
      ]);
      const y = device.tensor(labels(`optimizer/labels/${k}`, want.batch, want.classes));
      const loss = await step(x, y, optimizer.numbers({ lr: run.options.lr, step: k }));
      const { loss: wanted, parameters } = run[`step${k}`]!;
      expect(Math.abs((await loss.item()) / wanted - 1), `loss of step ${k}`).toBeLessThan(TOLERANCE);
      const [name, worst] = deviations(await floatsOf(net), parameters)[0]!;
      expect(worst, `${name} after step ${k}`).toBeLessThan(TOLERANCE);
    }
    await device.destroy();
  });
});
