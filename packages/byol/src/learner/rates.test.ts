import { expect, it } from "vitest";
import { parsePreset } from "../presets/preset.js";
import { presets, presetNamed } from "../presets/index.js";
import { rates, rateWarning } from "./rates.js";

const { optimizer: lars } = presetNamed("imagenet-r50");
const { optimizer: adamw } = presetNamed("digits");
const { optimizer: sgd } = presetNamed("stl10-r18");
const warning = (optimizer: typeof lars, learningRate: number) =>
  rateWarning({ optimizer: { ...optimizer, learningRate } });

it("a preset that names no rate gets the usual one of its optimiser", () => {
  for (const optimizer of [lars, sgd, adamw]) {
    const { learningRate: _, ...rest } = optimizer;
    const preset = parsePreset({ ...presetNamed("digits"), optimizer: rest });
    expect(preset.optimizer.learningRate).toBe(rates[optimizer.kind]!.usual);
    expect(rateWarning(preset)).toBeUndefined();
  }
});

it("no preset is warned of, and no rate on the edge of its range", () => {
  for (const preset of Object.values(presets)) expect(rateWarning(preset), preset.name).toBeUndefined();
  for (const optimizer of [lars, sgd, adamw]) {
    const { least, most } = rates[optimizer.kind]!;
    for (const rate of [least, most]) expect(warning(optimizer, rate)).toBeUndefined();
    for (const rate of [least * 0.99, most * 1.01]) expect(warning(optimizer, rate)).toBeDefined();
  }
});

it("a rate that only fits other optimisers is named with them and the usual one", () => {
  expect(warning(adamw, 0.2)).toBe(
    "a learning rate of 0.2 is too large for adamw, though not for lars or sgd; adamw usually takes 0.0003 for a batch of 256",
  );
  expect(warning(lars, 3e-4)).toBe(
    "a learning rate of 0.0003 is too small for lars, though not for adamw; lars usually takes 0.2 for a batch of 256",
  );
  expect(warning(sgd, 30)).toBe(
    "a learning rate of 30 is too large for sgd; sgd usually takes 0.05 for a batch of 256",
  );
});
