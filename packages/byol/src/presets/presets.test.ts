import { describe, expect, it } from "vitest";
import { presetTable } from "../node/cli/commands/presets.js";
import { Network } from "../learner/network.js";
import { headsOf } from "../methods/index.js";
import { parsePreset } from "./preset.js";
import { makeSchedule, totalStepsOf, warmupStepsOf } from "../training/setup.js";
import { presetFor, presetNamed, presets } from "./index.js";

const IMAGENET = 1_281_167;
const elements = (shape: readonly number[]) => shape.reduce((n, d) => n * d, 1);

describe("presets", () => {
  it("are known by their own names, and say where they come from and what they reach", () => {
    for (const [name, preset] of Object.entries(presets)) {
      expect(preset.name).toBe(name);
      expect(preset.source.length, name).toBeGreaterThan(5);
      expect(preset.expected.length, name).toBeGreaterThan(5);
    }
    for (const preset of Object.values(presets).filter(({ name }) => name.startsWith("image")))
      expect(preset.expected).toMatch(/not measured here$/);
  });
  it("unknown: lists the names", () => {
    expect(() => presetNamed("digit")).toThrow(/"digit".*digits, emoji, folder, .*tiny/);
    expect(() => presetNamed("toString")).toThrow(/there is no/);
  });
  it("never mirror digits", () => {
    for (const view of presets["digits"]!.views) expect(view.flip).toBe(0);
  });
  it("are found by the data that they are for", () => {
    expect(
      ["digits", "emoji", "some/folder", "cifar10:/x", "cifar100:y:z", "stl10:z"].map(presetFor),
    ).toEqual([...["digits", "emoji", "folder", "cifar10-r18", "cifar100-r18", "stl10-r18"]]);
    expect(presetFor("imagenet:/data")).toBe("imagenet-r50");
  });
  it("wrong data: every wrong field is named", () => {
    const { image, ...rest } = presets["digits"]!;
    const wrong = { ...rest, image: { ...image, mean: [0, 0, 0] }, batch: 1, colour: "red" };
    expect(() => parsePreset(wrong)).toThrow(/batch/);
    expect(() => parsePreset(wrong)).toThrow(/colour/);
    expect(() => parsePreset({ ...rest, image: { ...image, mean: [0, 0, 0] } })).toThrow(
      /a number per channel/,
    );
  });
  it("stand in a table with their results", () => {
    const text = presetTable(Object.values(presets));
    for (const { name, expected } of Object.values(presets)) {
      expect(text).toContain(name);
      expect(text).toContain(expected);
    }
  });
});

describe("networks of the presets", () => {
  const sizes = (name: string, classes: number) => {
    const preset = presetNamed(name);
    const net = new Network(preset, headsOf(preset.method), classes);
    const parts: Record<string, number> = {};
    for (const [path, { shape }] of net.namedParameters()) {
      const part = path.split(".")[0]!;
      parts[part] = (parts[part] ?? 0) + elements(shape);
    }
    return parts;
  };
  it("imagenet-r50 has the parameters of DeepMind's", () => {
    expect(sizes("imagenet-r50", 1000)).toEqual({
      encoder: 23_508_032,
      projector: 9_449_472,
      predictor: 2_109_440,
      probe: 2_049_000,
    });
  });
  it("imagenette-r18 projects in its first group, as DeepMind's does and torchvision's does not", () => {
    // torchvision's ResNet-18 without its classifier has 11,176,512.
    expect(sizes("imagenette-r18", 0)).toEqual({
      encoder: 11_176_512 + 4_096 + 128,
      projector: 3_158_016,
      predictor: 2_109_440,
    });
  });
  it("deeper and wider ones have about the millions that the paper counts (Table 9)", () => {
    const millions: Record<string, number> = {
      "imagenet-r101": 43,
      "imagenet-r152": 58,
      "imagenet-r200": 63,
      "imagenet-r50x2": 94,
      "imagenet-r101x2": 170,
      "imagenet-r152x2": 232,
      "imagenet-r200x2": 250,
      "imagenet-r50x3": 211,
      "imagenet-r101x3": 382,
      "imagenet-r152x3": 522,
      "imagenet-r50x4": 375,
    };
    for (const [name, wanted] of Object.entries(millions))
      expect(Math.abs(sizes(name, 0)["encoder"]! / 1e6 - wanted), name).toBeLessThan(1);
  });
});

describe("schedules of the presets", () => {
  it("have the steps of DeepMind's", () => {
    const steps = Object.fromEntries(
      ["-40ep", "-100ep", "-300ep", "", "-b512"].map((suffix) => {
        const preset = presetNamed(`imagenet-r50${suffix}`);
        const total = totalStepsOf(preset, IMAGENET);
        return [suffix, [total, warmupStepsOf(preset, IMAGENET, total)]];
      }),
    );
    expect(steps).toEqual({
      "-40ep": [12_511, 3127],
      "-100ep": [31_278, 3127],
      "-300ep": [93_835, 3127],
      "": [312_784, 3127],
      "-b512": [2_502_279, 25_022],
    });
    const imagenette = presetNamed("imagenette-r18");
    expect(totalStepsOf(imagenette, 9469)).toBe(36_988);
    expect(warmupStepsOf(imagenette, 9469, 36_988)).toBe(369);
  });
  /** Step → learning rate and τ, in float64 by the formulas of the paper's §3.3. */
  const cases: Record<string, Record<number, [number, number]>> = {
    "imagenet-r50": {
      0: [0, 0.996],
      1: [0.001023345059, 0.996],
      1563: [1.599488327, 0.9960002464],
      3126: [3.198976655, 0.9960009857],
      3127: [3.2, 0.9960009863],
      78196: [2.757967333, 0.9965857864],
      156392: [1.625378656, 0.998],
      234588: [0.4776377257, 0.9994142136],
      312784: [0, 1],
    },
    "imagenet-r50-100ep": {
      7819: [6.717657974, 0.9914642885],
      15639: [4.224957595, 0.995],
      23458: [1.286050095, 0.9985353563],
    },
    "imagenet-r50-b512": {
      12511: [0.4, 0.9995000308],
      1251139: [0.4063464368, 0.9997499998],
    },
  };
  for (const [name, table] of Object.entries(cases))
    it(name, () => {
      const preset = presetNamed(name);
      const schedule = makeSchedule(preset, IMAGENET, totalStepsOf(preset, IMAGENET));
      for (const [step, [lr, tau]] of Object.entries(table)) {
        const at = schedule(Number(step));
        expect(Math.abs(at.lr - lr)).toBeLessThanOrEqual(1e-9 * Math.max(1, lr));
        expect(Math.abs(at.tau! - tau)).toBeLessThan(1e-10);
      }
    });
});
