/** An optimiser that a user defines outside of nn: it has all that the others have, and the bits of the one that it copies. */
import {
  defineOptimizer,
  excludeBiasAndNorm,
  type GradientGuard,
  Linear,
  optimizers,
  Sgd,
  stateDict,
} from "@dawnstrap/nn";
import { type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const Own = defineOptimizer({
  name: "own",
  settings: { momentum: { kind: "number", fallback: 0.9, least: 0, most: 1, about: "of the velocity" } },
  rates: { usual: 0.05, least: 1e-3, most: 1 },
  states: ["velocity"],
  step(m, w, [v], { g, decay, ratio, lr }, { momentum }) {
    const next = m.add(m.mul(m.of(momentum), v!), m.mul(ratio, m.add(g, m.mul(decay, w))));
    return [m.sub(w, m.mul(lr, next)), next];
  },
});

describe.each(["reference", "cpu"] as const)("on %s", (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(kind);
  });
  afterAll(() => device.destroy());

  const guards: (GradientGuard | undefined)[] = [
    undefined,
    { maxNorm: 1, action: "clip" },
    { maxNorm: 2, action: "skip" },
  ];

  /** Weights, biases, targets and velocities after captured steps, some with gradients that are too long. */
  async function trained(Kind: typeof Own | typeof Sgd, guard: GradientGuard | undefined) {
    const make = (seed: number) => new Linear(5, 3).init(device, { seed });
    const [online, target] = [make(1), make(2)];
    const optimizer = new Kind(online.arena, {
      ...{ momentum: 0.8, weightDecay: 0.1, target: target.arena, ...(guard && { guard }) },
      rules: [...excludeBiasAndNorm, { label: "slow", applies: (p) => p.kind === "bias", rate: 0.5 }],
    });
    const step = device.capture((w: Tensor, b: Tensor, numbers: Tensor) => optimizer.update([w, b], numbers));
    for (let k = 0; k < 4; k++) {
      const waves = (n: number) => Float32Array.from({ length: n }, (_, i) => (k + 1) * Math.sin(i + 3 * k));
      await step(
        device.tensor(waves(15), [5, 3]),
        device.tensor(waves(3)),
        optimizer.numbers({ lr: 0.1 / (k + 1), tau: 0.9, step: k }),
      );
    }
    step.release();
    const dicts = [await stateDict(online), await stateDict(target), await optimizer.stateDict()];
    return dicts.map((dict) => [...dict.values()].map(({ data }) => [...data]));
  }

  it.each(guards)("equals momentum SGD bit for bit, guard %o", async (guard) => {
    expect(await trained(Own, guard)).toEqual(await trained(Sgd, guard));
  });
});

it("refuses an option that it has not, and a name that another formula has", async () => {
  const device = await openDevice("reference");
  const { arena } = new Linear(2, 2).init(device);
  expect(() => new Own(arena, { eta: 0.1 } as object)).toThrow(
    /optimizer own: there is no option eta \(there are momentum, weightDecay/,
  );
  const again = { ...Own.definition, step: () => [] };
  expect(() => defineOptimizer(again)).toThrow(/another kernel named ownUpdate/);
  await device.destroy();
});

it("stands in the table of optimisers only where someone puts it there", () => {
  expect([...optimizers.keys()].slice(0, 3)).toEqual(["lars", "sgd", "adamw"]);
  expect(Own.definition.name).toBe("own");
});
