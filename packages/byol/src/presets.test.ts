import { describe, expect, it } from "vitest";
import { resolvePreset } from "./cli/options.js";
import { parsePreset } from "./preset.js";
import { presetFor, presetNamed, presets } from "./presets.js";

describe("presets", () => {
  it("are known by their own names", () => {
    for (const [name, preset] of Object.entries(presets)) expect(preset.name).toBe(name);
  });
  it("unknown: lists the names", () => {
    expect(() => presetNamed("digit")).toThrow(/"digit".*digits, emoji, photos, tiny/);
    expect(() => presetNamed("toString")).toThrow(/there is no/);
  });
  it("never mirror digits", () => {
    for (const view of presets["digits"]!.views) expect(view.flip).toBe(0);
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
});

describe("resolvePreset", () => {
  const flags = { device: "auto" as const, seed: 0 };
  it("finds the preset for the data and the data for the preset", () => {
    expect(resolvePreset(flags)).toMatchObject({ data: "digits", preset: { name: "digits" } });
    expect(resolvePreset({ ...flags, preset: "emoji" })).toMatchObject({
      data: "emoji",
      preset: { name: "emoji" },
    });
    expect(resolvePreset({ ...flags, data: "some/folder" })).toMatchObject({
      data: "some/folder",
      preset: { name: "photos" },
    });
    expect(resolvePreset({ ...flags, data: "emoji", preset: "tiny" })).toMatchObject({
      data: "emoji",
      preset: { name: "tiny" },
    });
    expect(presetFor("digits")).toBe("digits");
  });
  it("takes batch and epochs from the flags", () => {
    expect(resolvePreset({ ...flags, batch: 32, epochs: 3 }).preset).toMatchObject({ batch: 32, epochs: 3 });
  });
  it("asks for a folder where the preset needs one", () => {
    expect(() => resolvePreset({ ...flags, preset: "photos" })).toThrow(/--data DIR/);
  });
});
