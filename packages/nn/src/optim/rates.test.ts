import { type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ParameterKind } from "../arena.js";
import { Module, Parameter } from "../module.js";
import { AdamW } from "./adamw.js";
import { Lars } from "./lars.js";
import type { Optimizer, OptimizerOptions } from "./optimizer.js";
import { Sgd } from "./sgd.js";
import { byName, excludeBiasAndNorm, type Rule } from "./rules.js";

const start = {
  body: [1, -2, 0.5],
  predictor: [0.3, 4],
  bias: [0.7, -0.1, 2, 1],
} as const;
type Name = keyof typeof start;
const names = ["body", "predictor", "bias"] as const;
const kinds: Record<Name, ParameterKind> = { body: "weight", predictor: "weight", bias: "bias" };

/** A body that follows the schedule, a predictor that keeps the peak, biases at a fraction of the schedule's rate. */
class Net extends Module {
  readonly body = parameter("body");
  readonly predictor = parameter("predictor");
  readonly bias = parameter("bias");
}
const parameter = (name: Name) =>
  new Parameter([start[name].length], kinds[name], (device) => device.tensor(Float32Array.from(start[name])));

const rules: readonly Rule[] = [
  ...excludeBiasAndNorm,
  { label: "slow", applies: (p) => p.kind === "bias", rate: 0.024 },
  byName(/^predictor/, { steady: true }),
];
const peak = Math.fround(0.4);
/** The schedule falls to 0. */
const scheduled = (step: number): number => Math.fround((peak * (5 - step)) / 5);
const rateOf = (name: Name, step: number): number =>
  name === "predictor" ? peak : name === "bias" ? Math.fround(0.024) * scheduled(step) : scheduled(step);
const gradient = (name: Name, step: number): number[] =>
  start[name].map((_, i) => Math.fround(Math.cos(3 * i + step + name.length)));

const [wd, momentum, eta] = [Math.fround(0.05), 0.9, 0.5];
const optimizers: Readonly<Record<string, (net: Net, options: OptimizerOptions) => Optimizer>> = {
  sgd: (net, options) => new Sgd(net.arena, { momentum, ...options }),
  nesterov: (net, options) => new Sgd(net.arena, { momentum, nesterov: true, ...options }),
  lars: (net, options) => new Lars(net.arena, { momentum, trust: eta, ...options }),
  larc: (net, options) => new Lars(net.arena, { momentum, trust: eta, clip: true, ...options }),
  adamw: (net, options) => new AdamW(net.arena, options),
};

/** One parameter's values after five steps, by loops in float64. */
function byHand(rule: string, name: Name): number[] {
  const decay = kinds[name] === "bias" ? 0 : wd;
  const w: number[] = start[name].map(Math.fround);
  const [m, v] = [w.map(() => 0), w.map(() => 0)];
  for (let step = 0; step < 5; step++) {
    const [lr, g] = [rateOf(name, step), gradient(name, step)];
    const u = g.map((x, i) => x + decay * w[i]!);
    const adapted = (eta * Math.hypot(...w)) / Math.hypot(...u);
    const ratio = !rule.startsWith("lar") || kinds[name] === "bias" ? 1 : adapted;
    const clipped = rule === "larc" && kinds[name] !== "bias" ? Math.min(ratio / lr, 1) : ratio;
    w.forEach((x, i) => {
      if (rule === "adamw") {
        m[i] = 0.9 * m[i]! + 0.1 * g[i]!;
        v[i] = 0.999 * v[i]! + 0.001 * g[i]! ** 2;
        const mean = m[i]! / (1 - 0.9 ** (step + 1));
        w[i] = x - lr * decay * x - (lr * mean) / (Math.sqrt(v[i]! / (1 - 0.999 ** (step + 1))) + 1e-8);
        return;
      }
      m[i] = momentum * m[i]! + clipped * u[i]!;
      w[i] = x - lr * (rule === "nesterov" ? clipped * u[i]! + momentum * m[i]! : m[i]!);
    });
  }
  return w;
}

describe.each(["reference", "cpu", "webgpu"] as const)("rates of their own on %s", (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(kind);
  });
  afterAll(() => device.destroy());

  /** Every parameter after five captured steps. */
  async function train(rule: string, options: OptimizerOptions): Promise<Record<Name, number[]>> {
    const net = new Net().init(device);
    const optimizer = optimizers[rule]!(net, { weightDecay: wd, ...options });
    const step = device.capture((body: Tensor, predictor: Tensor, bias: Tensor, scalars: Tensor) => {
      optimizer.update([body, predictor, bias], scalars);
    });
    for (let k = 0; k < 5; k++) {
      const [body, predictor, bias] = names.map((name) =>
        device.tensor(Float32Array.from(gradient(name, k))),
      );
      await step(
        ...([body!, predictor!, bias!] as const),
        optimizer.numbers({ lr: scheduled(k), peak, step: k }),
      );
    }
    step.release();
    const read = async (name: Name) => [name, [...(await net[name].value.data())]] as const;
    return Object.fromEntries(await Promise.all(names.map(read))) as Record<Name, number[]>;
  }

  it.each(Object.keys(optimizers))("%s: each parameter by its own, as float64 loops", async (rule) => {
    const after = await train(rule, { rules });
    for (const name of names)
      byHand(rule, name).forEach((wanted, i) =>
        expect(Math.abs(after[name][i]! - wanted), `${name} ${i}`).toBeLessThan(
          kind === "reference" ? 1e-6 : 2e-5,
        ),
      );
  });
  it("a rate of 1 is no rate, bit for bit", async () => {
    const one = [...excludeBiasAndNorm, byName(/./, { rate: 1, steady: false })];
    expect(await train("lars", { rules: one })).toEqual(await train("lars", {}));
  });
});

it.each(Object.keys(optimizers))("%s binds no more than the 8 buffers of a small GPU", async (rule) => {
  const device = await openDevice("cpu");
  const backend = device.backend!;
  Object.assign(backend.limits, { buffersPerKernel: 8, exclusiveWrites: true });
  const prepare = backend.prepare.bind(backend);
  const counts: number[] = [];
  backend.prepare = (calls, onProgress) => {
    counts.push(...calls.map(({ bindings }) => bindings.length));
    return prepare(calls, onProgress);
  };
  const [net, target] = [new Net().init(device), new Net().init(device)];
  const guard = { maxNorm: 1, action: "skip" } as const;
  const optimizer = optimizers[rule]!(net, { rules, target: target.arena, guard, weightDecay: wd });
  const scalars = optimizer.numbers({ lr: 0.1, peak, tau: 0.9 });
  optimizer.update(net.arena.values(), scalars);
  await device.flush();
  expect(Math.max(...counts)).toSatisfy((most: number) => most > 4 && most <= 8);
  await device.destroy();
});

describe("rules with rates", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice("reference");
  });
  afterAll(() => device.destroy());

  it("want the peak, and no rate below 0", () => {
    const net = new Net().init(device);
    expect(() => new Sgd(net.arena, { rules }).scalars({ lr: 0.1 })).toThrow(/give peak/);
    expect(() => new Sgd(net.arena, { rules: [byName(/x/, { rate: -1 })] })).toThrow(
      /rule \/x\/ has a rate of -1/,
    );
    expect(() => new Sgd(net.arena, { rules: [byName(/x/, { rate: Number.NaN })] })).toThrow(/rate of NaN/);
  });
  it("are printed", () => {
    const lines = new AdamW(new Net().init(device).arena, { rules }).describe().split("\n");
    expect(lines.map((line) => line.split(/\s{2,}/)[4])).toEqual(["rate", "1", "1 steady", "0.024"]);
  });
});
