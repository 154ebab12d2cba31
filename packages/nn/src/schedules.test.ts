import { describe, expect, it } from "vitest";
import { scaledLearningRate, stepsOf, targetMomentum, targetRate, warmupCosine } from "./schedules.js";

const IMAGENET = 1_281_167;

interface Case {
  epochs: number;
  batch: number;
  base: number;
  tau: number;
  total: number;
  warmup: number;
  values: [step: number, lr: number, tau: number][];
}

/** t → (lr, τ) of the paper (§3.3, App. J), calculated apart in float64. */
const cases: Record<string, Case> = {
  "1000 epochs, batch 4096": {
    epochs: 1000,
    batch: 4096,
    base: 0.2,
    tau: 0.996,
    total: 312_784,
    warmup: 3127,
    values: [
      [0, 0, 0.996],
      [1, 0.001023345059, 0.996],
      [1563, 1.599488327, 0.9960002464],
      [3126, 3.198976655, 0.9960009857],
      [3127, 3.2, 0.9960009863],
      [78_196, 2.757967333, 0.9965857864],
      [156_392, 1.625378656, 0.998],
      [234_588, 0.4776377257, 0.9994142136],
      [312_784, 0, 1],
    ],
  },
  "100 epochs, batch 4096": {
    epochs: 100,
    batch: 4096,
    base: 0.45,
    tau: 0.99,
    total: 31_278,
    warmup: 3127,
    values: [
      [7819, 6.717657974, 0.9914642885],
      [15_639, 4.224957595, 0.995],
      [23_458, 1.286050095, 0.9985353563],
    ],
  },
  "1000 epochs, batch 512 (appendix G)": {
    epochs: 1000,
    batch: 512,
    base: 0.4,
    tau: 0.9995,
    total: 2_502_279,
    warmup: 25_022,
    values: [
      [12_511, 0.4, 0.9995000308],
      [1_251_139, 0.4063464368, 0.9997499998],
    ],
  },
};

describe.each(Object.entries(cases))("schedules of %s", (_, c) => {
  const totalSteps = stepsOf(c.epochs, IMAGENET, c.batch);
  const warmupSteps = stepsOf(10, IMAGENET, c.batch);
  const peak = scaledLearningRate(c.base, c.batch);

  it("counts the steps", () => {
    expect([totalSteps, warmupSteps]).toEqual([c.total, c.warmup]);
  });
  it.each(c.values)("step %d", (t, lr, tau) => {
    expect(Math.abs(warmupCosine({ peak, warmupSteps, totalSteps }, t) - lr)).toBeLessThan(
      1e-9 * Math.max(1, lr),
    );
    expect(Math.abs(targetMomentum({ base: c.tau, totalSteps }, t) - tau)).toBeLessThan(1e-10);
  });
});

describe("schedules of the toy run", () => {
  it.each([
    [5, 0.5, 0.990061558297],
    [10, 1, 0.990244717419],
    [32, 0.859669900169, 0.992320866025],
    [55, 0.5, 0.995782172325],
    [77, 0.152670814771, 0.998750555348],
    [99, 0.00030458649, 0.999997532802],
    [150, 0, 1],
  ])("step %d", (t, lr, tau) => {
    expect(
      warmupCosine({ peak: scaledLearningRate(1, 256), warmupSteps: 10, totalSteps: 100 }, t),
    ).toBeCloseTo(lr, 11);
    expect(targetMomentum({ base: 0.99, totalSteps: 100 }, t)).toBeCloseTo(tau, 11);
  });
});

describe("lightly's cosine", () => {
  it("is ours of one step less", () => {
    const at = (step: number) => warmupCosine({ peak: 1, warmupSteps: 0, totalSteps: 10 - 1 }, step);
    expect(at(1)).toBeCloseTo(0.96984631, 8);
    expect(at(2)).toBeCloseTo(0.88302222, 8);
  });
});

describe("edges", () => {
  it("keeps 1 − τ where τ itself would round to 1 in float32", () => {
    const rate = targetRate({ base: 0.996, totalSteps: 312_784 }, 312_700);
    expect(Math.fround(1 - rate)).toBe(1);
    expect(rate).toBeGreaterThan(0);
  });
  it("takes no warm-up, and nothing but warm-up", () => {
    expect(warmupCosine({ peak: 3, warmupSteps: 0, totalSteps: 10 }, 0)).toBe(3);
    expect(warmupCosine({ peak: 3, warmupSteps: 10, totalSteps: 10 }, 5)).toBe(1.5);
    expect(warmupCosine({ peak: 3, warmupSteps: 10, totalSteps: 10 }, 10)).toBe(0);
  });
  it("refuses what is no schedule", () => {
    expect(() => warmupCosine({ peak: 1, warmupSteps: 11, totalSteps: 10 }, 0)).toThrow(
      /11 warm-up steps do not fit into 10/,
    );
    expect(() => warmupCosine({ peak: 1, warmupSteps: 0, totalSteps: 0 }, 0)).toThrow(/totalSteps is 0/);
    expect(() => targetMomentum({ base: 1.5, totalSteps: 10 }, 0)).toThrow(/base of 1.5/);
    expect(() => targetMomentum({ base: 0.9, totalSteps: 10 }, -1)).toThrow(/step -1/);
  });
});
