/**
 * Three whole BYOL steps against PyTorch: both losses, momentum, both networks' weights and running
 * statistics after each.
 */
import { type Byol, byolStep, type Heads, Network, type Preset } from "@dawnstrap/byol";
import { Lars, type Optimizer, targetMomentum, warmupCosine } from "@dawnstrap/nn";
import { openDevice, type Tensor } from "@dawnstrap/tensor";
import { describe, expect, it } from "vitest";
import { type Digest, deviations, type Host } from "./digest.js";
import { images, labels, parameter } from "./formula.js";
import { floatsOf, golden, loadFormula, toTorch } from "./load.js";

interface Options {
  readonly batch: number;
  readonly size: number;
  readonly width: number;
  readonly hidden: number;
  readonly projection: number;
  readonly classes: number;
  readonly steps: number;
  readonly peakLr: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
  readonly tauBase: number;
  readonly weightDecay: number;
  readonly eta: number;
  readonly momentum: number;
}

type Family = "momentum" | "online" | "target" | "onlineRunning" | "targetRunning";
type Step = Readonly<Record<Family, Readonly<Record<string, Digest>>>> & {
  readonly lr: number;
  readonly tau: number;
  readonly representationLoss: number;
  readonly probeLoss: number;
};

/** The generator's network, as a preset has it. */
function makeNetwork(o: Options): Network {
  const preset = {
    network: { block: "basic", blocks: [1, 1, 1, 1], width: o.width, stem: "small", zeroInit: false },
    image: { channels: 3 },
  } as Preset;
  const head = { hidden: [o.hidden], output: o.projection, norm: true, bias: false, outputNorm: false };
  const heads: Heads = { projector: head, predictor: head };
  return new Network(preset, heads, o.classes);
}

/**
 * Ours are exponential averages from mean 0 and variance 1, the golden ones leave the start out:
 * ours = (1 − 0.9ⁿ)·golden + 0.9ⁿ·start after n batches.
 */
function withoutStart(host: Host, name: string, batches: number): Host {
  const left = 0.9 ** batches;
  const start = name.endsWith("running_var") ? 1 : 0;
  return { shape: host.shape, data: Float64Array.from(host.data, (v) => (v - left * start) / (1 - left)) };
}

async function momentumOf(optimizer: Optimizer): Promise<Map<string, Host>> {
  const kinds = new Map(optimizer.arena.segments.map((s) => [s.name, s.kind]));
  const dict = await optimizer.stateDict();
  return new Map(
    [...dict].map(([key, { shape, data }]) => {
      const name = key.replace("momentum.", "");
      const host = { shape, data: data as Float32Array };
      return [name, kinds.get(name) === "weight" ? toTorch(host) : host];
    }),
  );
}

/**
 * PyTorch's own float32 lands within 4e-8 (losses), 1.5e-5 (gradients, of which momentum is made) and 6e-6
 * (weights) of the float64 golden values in the norm; ours is compared element by element, whose errors
 * scatter wider.
 */
const LOSS = 2e-6;
const TENSOR: Record<Family, number> = {
  momentum: 3e-4,
  online: 1e-4,
  target: 1e-4,
  onlineRunning: 2e-5,
  targetRunning: 2e-5,
};
/** Gradients of biases that feed a batch norm are zero but for rounding. */
const FLOOR = 1e-3;

describe.each(["cpu", "webgpu"] as const)("BYOL on %s", (kind) => {
  it("takes the golden steps", async () => {
    const want = golden<{ options: Options } & Record<`step${number}`, Step>>("byol");
    const o = want.options;
    const device = await openDevice(kind);
    const make = async (prefix: string) => {
      const net = makeNetwork(o).init(device);
      await loadFormula(net, (name, shape) => parameter(`${prefix}/${name}`, shape));
      return net;
    };
    const [online, target] = [await make("online"), await make("target")];
    const optimizer = new Lars(online.arena, {
      target: target.arena,
      weightDecay: o.weightDecay,
      trust: o.eta,
      momentum: o.momentum,
    });
    const byol: Byol = { online, target, optimizer };
    const step = device.capture((x1: Tensor, x2: Tensor, y: Tensor, s: Tensor) =>
      byolStep(byol, [x1, x2], y, s),
    );

    const seen: Partial<Record<Family, number>> = {};
    for (let k = 0; k < o.steps; k++) {
      const golden = want[`step${k}`]!;
      const lr = warmupCosine({ peak: o.peakLr, warmupSteps: o.warmupSteps, totalSteps: o.totalSteps }, k);
      const tau = targetMomentum({ base: o.tauBase, totalSteps: o.totalSteps }, k);
      expect([lr, tau]).toEqual([expect.closeTo(golden.lr, 9), expect.closeTo(golden.tau, 9)]);
      const view = (v: 1 | 2) =>
        device.tensor(images(`byol/view${v}/${k}`, [o.batch, 3, o.size, o.size]), [
          o.batch,
          o.size,
          o.size,
          3,
        ]);
      const y = device.tensor(labels(`byol/labels/${k}`, o.batch, o.classes));
      const numbers = await (await step(view(1), view(2), y, optimizer.numbers({ lr, tau, step: k }))).data();
      expect(Math.abs(numbers[0]! / golden.representationLoss - 1)).toBeLessThan(LOSS);
      expect(Math.abs(numbers[2]! / golden.probeLoss - 1)).toBeLessThan(LOSS);

      const [on, off] = [await floatsOf(online), await floatsOf(target)];
      const running = (of: Map<string, Host>, names: object) =>
        new Map(Object.keys(names).map((n) => [n, withoutStart(of.get(n)!, n, 2 * (k + 1))]));
      const got: Record<Family, Map<string, Host>> = {
        momentum: await momentumOf(optimizer),
        online: on,
        target: off,
        onlineRunning: running(on, golden.onlineRunning),
        targetRunning: running(off, golden.targetRunning),
      };
      for (const family of Object.keys(got) as Family[]) {
        const [name, worst] = deviations(got[family], golden[family], FLOOR)[0]!;
        seen[family] = Math.max(seen[family] ?? 0, worst);
        expect(worst, `${family} of ${name} after step ${k}`).toBeLessThan(TENSOR[family]);
      }
    }
    console.log(`BYOL on ${kind}, worst deviations: ${JSON.stringify(seen)}`);
    await device.destroy();
    // Software adapters compile for most of a minute.
  }, 400_000);
});
