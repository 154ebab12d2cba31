/** One training step and a few: what Algorithm 1 promises, on the cpu device and in float64. */
import {
  type Learner,
  learnerStep,
  makeLearner,
  prepareTraining,
  type Preset,
  presetNamed,
  type StepMetrics,
} from "@dawnstrap/byol";
import type { DataSource } from "@dawnstrap/byol/images";
import { openDigits } from "@dawnstrap/byol/node";
import { stateDict } from "@dawnstrap/nn";
import { type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const preset = presetNamed("tiny");
const { size, channels } = preset.image;
let cpu: Device;
let data: DataSource;
const devices: Device[] = [];

beforeAll(async () => {
  cpu = await openDevice("cpu");
  devices.push(cpu);
  data = await openDigits({ stored: 28, channels: 3, background: [0, 0, 0] });
});
afterAll(async () => {
  for (const device of devices) await device.destroy();
});

/** Two views of eight "images": smooth waves, so that no value is special. */
function views(device: Device): [Tensor, Tensor] {
  const make = (phase: number) =>
    device.tensor(
      Float32Array.from(
        { length: 8 * size * size * channels },
        (_, i) => Math.sin(0.37 * i + phase) + Math.cos(0.011 * i * phase),
      ),
      [8, size, size, channels],
    );
  return [make(1), make(2.3)];
}
const labelsOf = (device: Device, values: number[]) => device.tensor(Int32Array.from(values));
const someLabels = [0, 1, 2, 3, 4, 5, 6, 7];

interface Step {
  readonly numbers: number[];
  readonly before: Map<string, number[]>;
  readonly after: Map<string, number[]>;
}
/** State of both networks, by "online." and "target." names. */
async function stateOf({ online, target }: Learner): Promise<Map<string, number[]>> {
  const all = new Map<string, number[]>();
  for (const [prefix, module] of [
    ["online", online],
    ["target", target!],
  ] as const)
    for (const [name, { data: values }] of await stateDict(module))
      all.set(`${prefix}.${name}`, Array.from(values as Float32Array));
  return all;
}
async function step(
  device: Device,
  options: {
    labels?: number[];
    swap?: boolean;
    tau?: number;
    network?: Partial<Preset["network"]>;
    prepare?: (learner: Learner) => void;
  } = {},
): Promise<Step> {
  const learner = makeLearner(
    device,
    { ...preset, network: { ...preset.network, ...options.network } },
    10,
    1,
  );
  options.prepare?.(learner);
  const before = await stateOf(learner);
  const [x1, x2] = views(device);
  const scalars = learner.optimizer.numbers({ lr: 0.01, tau: options.tau ?? 0.75 });
  const labels = labelsOf(device, options.labels ?? someLabels);
  const numbers = learnerStep(learner, options.swap ? [x2, x1] : [x1, x2], labels, scalars);
  await device.flush();
  return { numbers: Array.from(await numbers.data()), before, after: await stateOf(learner) };
}
const largest = (a: readonly number[], b: readonly number[]) =>
  a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0);
const isStatistic = (name: string) => /running|startWeight/.test(name);

describe("a step", () => {
  it("starts near a loss of 4 and changes every online weight", async () => {
    const { numbers, before, after } = await step(cpu);
    expect(numbers[0]).toSatisfy((v: number) => v > 2 && v < 6);
    for (const [name, values] of after)
      if (name.startsWith("online") && !isStatistic(name))
        expect(largest(values, before.get(name)!), name).toBeGreaterThan(0);
  });

  it("moves the target towards the new online weights, and by nothing else", async () => {
    const { before, after } = await step(cpu, { tau: 0.75 });
    for (const [name, values] of after) {
      if (!name.startsWith("target") || isStatistic(name)) continue;
      const theta = after.get(name.replace("target", "online"))!;
      const wanted = before.get(name)!.map((xi, i) => 0.75 * xi + 0.25 * theta[i]!);
      expect(largest(values, wanted), name).toBeLessThan(1e-6);
    }
  });

  it("with τ = 1 leaves the target's weights alone, with τ = 0 copies the new online weights", async () => {
    const still = await step(cpu, { tau: 1 });
    const copied = await step(cpu, { tau: 0 });
    for (const name of still.after.keys()) {
      if (!name.startsWith("target") || isStatistic(name)) continue;
      expect(still.after.get(name)).toEqual(still.before.get(name));
      expect(copied.after.get(name)).toEqual(copied.after.get(name.replace("target", "online")));
    }
  });

  it("lets labels reach the probe alone", async () => {
    const one = await step(cpu);
    const other = await step(cpu, { labels: [...someLabels].reverse() });
    for (const [name, values] of one.after) {
      if (/^(online|target)\.probe\./.test(name)) continue;
      expect(values, name).toEqual(other.after.get(name));
    }
    expect(one.after.get("online.probe.weight")).not.toEqual(other.after.get("online.probe.weight"));
    expect(one.numbers[2]).not.toBe(other.numbers[2]);
  });

  it("counts an image without a label for the encoder alone", async () => {
    const some = [0, -1, 2, -1, 4, -1, -1, 7];
    const [all, part, none] = [
      await step(cpu),
      await step(cpu, { labels: some }),
      await step(cpu, { labels: some.map(() => -1) }),
    ];
    for (const { numbers, after } of [part, none]) {
      expect(numbers[0]).toBe(all.numbers[0]);
      for (const [name, values] of after)
        if (!/^(online|target)\.probe\./.test(name)) expect(values, name).toEqual(all.after.get(name));
    }
    // The probe starts undecided: its loss is that of ten classes, whatever number of them counts.
    expect(part.numbers[2]).toBeCloseTo(Math.log(10), 0);
    expect(none.numbers[2]).toBe(0);
  });

  it("does not mind which view comes first", async () => {
    const [one, other] = [await step(cpu), await step(cpu, { swap: true })];
    expect(one.numbers[0]).toBeCloseTo(other.numbers[0]!, 5);
  });

  it("is the same bit for bit with activations that are computed again", async () => {
    expect(await step(cpu, { network: { checkpoint: "stage" } })).toEqual(await step(cpu));
  });

  it("runs the target on batch statistics: its running averages change nothing", async () => {
    const plain = await step(cpu);
    const shifted = await step(cpu, {
      prepare: ({ target }) => {
        for (const buffer of target!.buffers()) buffer.assign(cpu.full(buffer.shape, 7));
      },
    });
    expect(shifted.numbers).toEqual(plain.numbers);
  });

  it("moves the running averages of both networks by two passes of their own", async () => {
    const { before, after } = await step(cpu);
    const name = "encoder.bn1.runningMean";
    expect(after.get(`online.${name}`)).not.toEqual(after.get(`target.${name}`));
    for (const [key, values] of after) {
      if (!key.endsWith("runningVariance") || key.includes("target.predictor")) continue;
      expect(values, key).not.toEqual(before.get(key));
    }
    // The target's predictor takes part in nothing.
    for (const [key, values] of after)
      if (/^target\.predictor.*running/.test(key)) expect(values).toEqual(before.get(key));
  });

  it("is the same in float64", async () => {
    const reference = await openDevice("reference");
    devices.push(reference);
    const [one, exact] = [await step(cpu), await step(reference)];
    for (const [i, v] of exact.numbers.entries()) expect(one.numbers[i]).toBeCloseTo(v, 4);
    for (const [name, values] of exact.before)
      expect(largest(values, one.before.get(name)!), name).toBeLessThan(1e-6);
    for (const [name, values] of exact.after)
      if (isStatistic(name)) expect(largest(values, one.after.get(name)!), name).toBeLessThan(1e-3);
  });
});

describe("training", () => {
  async function run(
    device: Device,
    changes: Partial<Preset> = {},
    steps = 4,
    seed = 2,
  ): Promise<StepMetrics[]> {
    const all: StepMetrics[] = [];
    const learner = makeLearner(device, preset, 10, seed);
    const options = {
      device,
      preset: { ...preset, ...changes },
      data,
      seed,
      steps,
      onStep: (m: StepMetrics) => all.push(m),
    };
    await prepareTraining(learner, options).run();
    return all;
  }
  const numbers = (all: StepMetrics[]) => all.map(({ images_per_second: _, ...rest }) => rest);

  it("repeats itself bit for bit, and differs with the seed", async () => {
    const one = numbers(await run(cpu));
    expect(numbers(await run(cpu))).toEqual(one);
    expect(numbers(await run(cpu, {}, 4, 3))[0]!.loss).not.toBe(one[0]!.loss);
  });

  it("gives the same losses with one thread", async () => {
    const single = await openDevice("cpu", { threads: 1 });
    devices.push(single);
    expect(numbers(await run(single))).toEqual(numbers(await run(cpu)));
  });

  it("warms up from 0 and ends with τ near 1", async () => {
    const all = await run(cpu, { schedule: { warmupEpochs: 2 / 500 } }, 8);
    expect(all[0]!.lr).toBe(0);
    expect(all[0]!.tau).toBeCloseTo(0.9, 12);
    expect(all[7]!.tau).toBeGreaterThan(0.99);
    expect(all[7]!.lr).toBeLessThan(all[4]!.lr);
  });

  it("stops at a loss that is not a number, naming the step", async () => {
    const optimizer = {
      kind: "sgd",
      learningRate: 1e38,
      weightDecay: 1,
      momentum: 0.9,
      nesterov: false,
    } as const;
    const schedule = { warmupEpochs: 0 };
    await expect(run(cpu, { optimizer, schedule }, 20)).rejects.toThrow(/not a number at step \d+/);
  });
});
