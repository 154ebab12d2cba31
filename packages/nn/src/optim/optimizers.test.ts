import { type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ParameterKind } from "../arena.js";
import { Module, Parameter } from "../module.js";
import { AdamW } from "./adamw.js";
import type { OptionsOf } from "./define.js";
import { Lars } from "./lars.js";
import type { GradientGuard, Optimizer, StepNumbers } from "./optimizer.js";
import { byName } from "./rules.js";
import { Sgd } from "./sgd.js";

type LarsOptions = OptionsOf<typeof Lars.definition.settings>;

/** A module that is nothing but parameters, of the given first values. */
class Weights extends Module {
  [name: string]: unknown;
  constructor(values: Record<string, { kind: ParameterKind; values: readonly number[] }>) {
    super();
    for (const [name, { kind, values: v }] of Object.entries(values))
      this[name] = new Parameter([v.length], kind, (device) => device.tensor(Float32Array.from(v)));
  }
}

const weight = (...values: number[]) => ({ w: { kind: "weight", values } }) as const;

let device: Device;
beforeAll(async () => {
  device = await openDevice("reference");
});
afterAll(() => device.destroy());

/** Values of every parameter after the steps with these gradients. */
async function run(
  module: Module,
  make: (m: Module) => Optimizer,
  gradients: readonly Record<string, readonly number[]>[],
  numbers: (step: number) => StepNumbers,
): Promise<Record<string, number[]>> {
  const optimizer = make(module);
  for (const [step, g] of gradients.entries()) {
    const grads = module.parameters().map((p) => device.tensor(Float32Array.from(g[p.name]!)));
    optimizer.update(grads, optimizer.numbers(numbers(step)));
    await device.flush();
  }
  const out: Record<string, number[]> = {};
  for (const p of module.parameters()) out[p.name] = [...(await p.value.data())];
  return out;
}

function expectClose(got: readonly number[], want: readonly number[], relative = 1e-6): void {
  expect(got.length).toBe(want.length);
  got.forEach((g, i) =>
    expect(Math.abs(g - want[i]!), `element ${i}: ${g} against ${want[i]}`).toBeLessThanOrEqual(
      relative * Math.max(1, Math.abs(want[i]!)),
    ),
  );
}

describe("LARS, cases calculated in float64", () => {
  const gradients = [{ w: [0.6, -0.8] }, { w: [0.1, 0.2] }];
  const options: LarsOptions = { weightDecay: 0.1, trust: 1e-3, momentum: 0.9 };
  const lars = async (
    steps: number,
    more: LarsOptions = {},
    start: readonly number[] = [3, 4],
    kind: ParameterKind = "weight",
  ) => {
    const module = new Weights({ w: { kind, values: start } }).init(device);
    let optimizer!: Optimizer;
    const { w } = await run(
      module,
      (m) => (optimizer = new Lars(m.arena, { ...options, ...more })),
      gradients.slice(0, steps),
      () => ({ lr: 2 }),
    );
    const momentum = (await optimizer.stateDict()).get("momentum.w")!.data as Float32Array;
    return { w: w!, momentum: [...momentum] };
  };

  it("official", async () => {
    const { w, momentum } = await lars(1);
    expectClose(w, [2.9908618845137975, 4.004061384660535]);
    expectClose(momentum, [0.004569057743101286, -0.002030692330267238], 1e-9);
  });
  it("lightning, two steps", async () => {
    expectClose((await lars(1, { variant: "lightning" })).w, [2.99400000004, 4.002666666648889]);
    expectClose((await lars(2, { variant: "lightning" })).w, [2.9830809269280327, 3.996771935432145]);
  });
  it("lightning does not adapt what is not decayed", async () => {
    expectClose((await lars(1, { variant: "lightning", weightDecay: 0 })).w, [1.8, 5.6]);
  });
  it.each(["bias", "norm"] as const)("a %s is neither decayed nor adapted", async (kind) => {
    expectClose((await lars(1, {}, [3, 4], kind)).w, [1.8, 5.6]);
    expectClose((await lars(2, {}, [3, 4], kind)).w, [0.52, 6.64]);
  });
  it("a zero weight takes ratio 1", async () => {
    expectClose((await lars(1, {}, [0, 0])).w, [-1.2, 1.6]);
  });
  it("the first step has length lr·trust·‖w‖", async () => {
    const { w } = await lars(1);
    expect(Math.hypot(w[0]! - 3, w[1]! - 4)).toBeCloseTo(2 * 1e-3 * 5, 6);
  });
  it.each([0, 0.1])(
    "twice the loss, weight decay %d: the adapted step stays only without, a bias steps twice as far",
    async (weightDecay) => {
      const step = async (factor: number, kind: ParameterKind) => {
        const module = new Weights({ w: { kind, values: [3, 4] } }).init(device);
        const { w } = await run(
          module,
          (m) => new Lars(m.arena, { ...options, weightDecay }),
          [{ w: [0.6 * factor, -0.8 * factor] }],
          () => ({ lr: 2 }),
        );
        return [w![0]! - 3, w![1]! - 4];
      };
      const [one, twice] = [await step(1, "weight"), await step(2, "weight")];
      const apart = Math.hypot(twice[0]! - one[0]!, twice[1]! - one[1]!) / Math.hypot(...one);
      if (weightDecay === 0) expect(apart).toBeLessThan(1e-6);
      else expect(apart).toBeGreaterThan(0.1);
      expectClose(
        await step(2, "bias"),
        (await step(1, "bias")).map((v) => 2 * v),
      );
    },
  );
  it("LARC clips the ratio at the learning rate", async () => {
    // trust 10: the ratio is far above lr = 2, so that the step is lr·u.
    const u = [0.6 + 0.3, -0.8 + 0.4];
    expectClose((await lars(1, { trust: 10, clip: true })).w, [3 - 2 * u[0]!, 4 - 2 * u[1]!]);
    // trust 1e-3: the ratio is below lr, so that the step is ratio/lr·lr·u.
    const ratio = (1e-3 * 5) / Math.hypot(...u);
    expectClose((await lars(1, { clip: true })).w, [3 - ratio * u[0]!, 4 - ratio * u[1]!]);
  });
});

/** Plain float64 loops over ten steps with changing gradients and learning rate, as an independent oracle. */
function oracle(
  kind: "official" | "lightning" | "sgd" | "nesterov" | "adamw",
  start: readonly number[],
  gradient: (step: number) => number[],
): number[] {
  const [wd, eta, mom] = [0.05, 0.02, 0.9];
  const w = [...start];
  const m = start.map(() => 0);
  const v = start.map(() => 0);
  for (let step = 0; step < 10; step++) {
    const g = gradient(step);
    const lr = rate(step);
    if (kind === "adamw") {
      w.forEach((x, i) => {
        m[i] = 0.9 * m[i]! + 0.1 * g[i]!;
        v[i] = 0.999 * v[i]! + 0.001 * g[i]! ** 2;
        const change =
          m[i]! / (1 - 0.9 ** (step + 1)) / (Math.sqrt(v[i]! / (1 - 0.999 ** (step + 1))) + 1e-8);
        w[i] = x - lr * wd * x - lr * change;
      });
      continue;
    }
    const u = g.map((x, i) => x + wd * w[i]!);
    const [wn, gn, un] = [w, g, u].map((x) => Math.hypot(...x)) as [number, number, number];
    const ratio =
      kind === "official" ? (eta * wn) / un : kind === "lightning" ? (eta * wn) / (gn + wd * wn + 1e-8) : 1;
    w.forEach((x, i) => {
      m[i] = mom * m[i]! + ratio * u[i]!;
      w[i] = x - lr * (kind === "nesterov" ? ratio * u[i]! + mom * m[i]! : m[i]!);
    });
  }
  return w;
}
/** Rounded to float32, as it reaches the device. */
const rate = (step: number): number => Math.fround(0.1 * (1 + Math.cos((Math.PI * step) / 10)));

describe.each(["reference", "cpu", "webgpu"] as const)("ten steps on %s", (kind) => {
  let here: Device;
  beforeAll(async () => {
    here = await openDevice(kind);
  });
  afterAll(() => here.destroy());

  // Over 64 · 64 elements, so that norms take three levels, and two more parameters around with tails in
  // their blocks.
  const big = Array.from({ length: 4500 }, (_, i) => Math.sin(i + 1));
  const gradient = (step: number): number[] => big.map((_, i) => Math.cos(i * (step + 1)) / 3);

  it.each(["official", "lightning", "sgd", "nesterov", "adamw"] as const)(
    "%s agrees with float64 loops",
    async (rule) => {
      const side = { kind: "norm", values: [1, 2, 3] } as const;
      const module = new Weights({ before: side, w: { kind: "weight", values: big }, after: side }).init(
        here,
      );
      const target = new Weights({
        before: side,
        w: { kind: "weight", values: big.map(() => 0) },
        after: side,
      }).init(here);
      const common = { weightDecay: 0.05, target: target.arena };
      const optimizer =
        rule === "adamw"
          ? new AdamW(module.arena, common)
          : rule === "sgd" || rule === "nesterov"
            ? new Sgd(module.arena, { ...common, momentum: 0.9, nesterov: rule === "nesterov" })
            : new Lars(module.arena, { ...common, trust: 0.02, variant: rule });
      const step = here.capture((g: Tensor, scalars: Tensor) => {
        const none = here.zeros([3]);
        optimizer.update([none, g, none], scalars);
      });
      const follow = big.map(() => 0);
      for (let k = 0; k < 10; k++) {
        await step(
          here.tensor(Float32Array.from(gradient(k))),
          optimizer.numbers({ lr: rate(k), tau: 0.75, step: k }),
        );
        const now = await module.parameters()[1]!.value.data();
        follow.forEach((x, i) => {
          follow[i] = x + 0.25 * (now[i]! - x);
        });
      }
      // Values are read as float32: 6e-8 of weights of size 1. Ten float32 steps round each time, and AdamW
      // divides by roots of small numbers.
      const tolerance = kind === "reference" ? 1e-7 : rule === "adamw" ? 1e-5 : 3e-6;
      expectClose(
        [...(await module.parameters()[1]!.value.data())],
        oracle(rule, big.map(Math.fround), (k) => gradient(k).map(Math.fround)),
        tolerance,
      );
      expectClose([...(await target.parameters()[1]!.value.data())], follow, 3e-6);
      expectClose([...(await module.parameters()[2]!.value.data())], [1, 2, 3], 0);
      const padding = (await module.arena.flat.value.data()).slice(3, 64);
      expect(
        padding.every((x) => x === 0),
        "padding stays zero",
      ).toBe(true);
    },
  );
});

describe.each(["reference", "cpu", "webgpu"] as const)("the guard on %s", (kind) => {
  let here: Device;
  beforeAll(async () => {
    here = await openDevice(kind);
  });
  afterAll(() => here.destroy());

  /** Weights and state after captured steps with these gradients of two parameters, and the norms they returned. */
  async function guarded(guard: GradientGuard | undefined, gradients: [number[], number[]][]) {
    const parts = { a: { kind: "weight", values: [1, 2] }, b: { kind: "bias", values: [3] } } as const;
    const module = new Weights(parts).init(here);
    const target = new Weights(parts).init(here);
    const optimizer = new AdamW(module.arena, { target: target.arena, ...(guard && { guard }) });
    const step = here.capture((a: Tensor, b: Tensor, scalars: Tensor) => optimizer.update([a, b], scalars));
    const norms: number[] = [];
    for (const [k, [a, b]] of gradients.entries()) {
      const scalars = optimizer.numbers({ lr: 0.1, tau: 0.5, step: k });
      norms.push(
        await (
          await step(here.tensor(Float32Array.from(a)), here.tensor(Float32Array.from(b)), scalars)
        ).item(),
      );
    }
    const state = [module.arena.flat, target.arena.flat].map(async (v) => [...(await v.value.data())]);
    const slots = [...(await optimizer.stateDict()).values()].map(({ data }) => [...data]);
    return { norms, state: [...(await Promise.all(state)), ...slots] };
  }

  it("measures the norm over all parameters and lets short gradients be", async () => {
    const short: [number[], number[]][] = [[[3, 0], [4]]];
    const free = await guarded(undefined, short);
    expect(free.norms[0]).toBeCloseTo(5, 5);
    for (const action of ["clip", "skip"] as const)
      expect(await guarded({ maxNorm: 5.001, action }, short)).toEqual(free);
  });
  it("clips a long gradient to the bound", async () => {
    const long = await guarded({ maxNorm: 2.5, action: "clip" }, [[[3, 0], [4]]]);
    const half = await guarded(undefined, [[[1.5, 0], [2]]]);
    expect(long.norms[0]).toBeCloseTo(5, 5);
    long.state.forEach((values, k) => expectClose(values as number[], half.state[k] as number[], 1e-6));
  });
  it.each([100, Number.NaN, Number.POSITIVE_INFINITY])(
    "skips a step whose gradient holds %d, wholly",
    async (bad) => {
      const first: [number[], number[]] = [[1, -1], [0.5]];
      const { state } = await guarded({ maxNorm: 5, action: "skip" }, [first, [[1, bad], [2]]]);
      expect(state).toEqual((await guarded(undefined, [first])).state);
    },
  );
});

it("a guard that lets nothing pass is refused", () => {
  const module = new Weights(weight(3)).init(device);
  expect(() => new Sgd(module.arena, { guard: { maxNorm: 0, action: "clip" } })).toThrow(/more than 0/);
});

describe("the target", () => {
  const follow = async (tau: number): Promise<number> => {
    const module = new Weights(weight(3)).init(device);
    const target = new Weights(weight(1)).init(device);
    await run(
      module,
      (m) => new Sgd(m.arena, { target: target.arena }),
      [{ w: [0] }],
      () => ({ lr: 1, tau }),
    );
    return target.parameters()[0]!.value.item();
  };
  it("moves by 1 − τ", async () => {
    expect(await follow(0.75)).toBe(1.5);
    expect(await follow(1)).toBe(1);
    expect(await follow(0)).toBe(3);
  });
  it("follows the new weights, not the old", async () => {
    const module = new Weights(weight(3)).init(device);
    const target = new Weights(weight(1)).init(device);
    await run(
      module,
      (m) => new Sgd(m.arena, { target: target.arena }),
      [{ w: [1] }],
      () => ({ lr: 1, tau: 0 }),
    );
    expect(await target.parameters()[0]!.value.item()).toBe(2);
  });
  it("has to be laid out alike, and to be given its τ", () => {
    const module = new Weights(weight(3)).init(device);
    const other = new Weights(weight(1, 2)).init(device);
    expect(() => new Sgd(module.arena, { target: other.arena })).toThrow(
      /differ at parameter 0: w \[1\] against w \[2\]/,
    );
    const same = new Weights(weight(1)).init(device);
    expect(() => new Sgd(module.arena, { target: same.arena }).scalars({ lr: 1 })).toThrow(/give tau/);
  });
});

describe("optimiser state", () => {
  it("goes through a state dict", async () => {
    const make = () =>
      new Weights({ w: { kind: "weight", values: [1, 2, 3] }, b: { kind: "bias", values: [4] } }).init(
        device,
      );
    const numbers = (step: number) => ({ lr: 0.1, step });
    const [a, b] = [
      { w: [1, -1, 2], b: [3] },
      { w: [2, 1, 0], b: [-1] },
    ];
    const whole = await run(make(), (m) => new AdamW(m.arena), [a, b], numbers);

    const first = make();
    let before!: Optimizer;
    await run(first, (m) => (before = new AdamW(m.arena)), [a], numbers);
    const saved = await before.stateDict();
    expect([...saved.keys()]).toEqual(["mean.w", "mean.b", "square.w", "square.b"]);
    const resumed = await run(
      first,
      (m) => {
        const after = new AdamW(m.arena);
        after.loadStateDict(saved);
        return after;
      },
      [b],
      (step) => numbers(step + 1),
    );
    expect(resumed).toEqual(whole);
    expect(() => new Lars(first.arena).loadStateDict(saved)).toThrow(/no momentum.w/);
  });
});

describe("rules", () => {
  it("are printed with what they do", () => {
    const module = new Weights({
      w: { kind: "weight", values: [1] },
      head: { kind: "weight", values: [1] },
      b: { kind: "bias", values: [1] },
      scale: { kind: "norm", values: [1] },
    }).init(device);
    const rules = [...new Lars(module.arena).rules, byName(/^head/, { adapt: false })];
    expect(
      new Lars(module.arena, { rules })
        .describe()
        .split("\n")
        .map((l) => l.split(/\s{2,}/)),
    ).toEqual([
      ["parameter", "shape", "decay", "adapt", "rate", "rule"],
      ["w", "[1]", "yes", "yes", "1", "default"],
      ["head", "[1]", "yes", "no", "1", "/^head/"],
      ["b", "[1]", "no", "no", "1", "bias"],
      ["scale", "[1]", "no", "no", "1", "norm"],
    ]);
    expect(new Sgd(module.arena).describe()).toMatch(/w +\[1\] +yes +no +1 +default/);
  });
});
