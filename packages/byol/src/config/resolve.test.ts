import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { presetNamed } from "../presets/index.js";
import { presetPaths } from "./paths.js";
import { resolvePreset } from "./node/file.js";
import { dataOf } from "./resolve.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "config-test-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
function file(content: unknown): string {
  const path = join(folder, "config.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

describe("resolvePreset", () => {
  it("finds the preset for the data and the data for the preset", () => {
    expect(resolvePreset({})).toEqual(presetNamed("digits"));
    expect(resolvePreset({ preset: "emoji" })).toMatchObject({ name: "emoji", data: "emoji" });
    expect(resolvePreset({ data: "some/folder" })).toMatchObject({ name: "folder", data: "some/folder" });
    expect(resolvePreset({ data: "emoji", preset: "tiny" })).toMatchObject({ name: "tiny", data: "emoji" });
  });
  it("takes shorthands", () => {
    expect(resolvePreset({ batch: 32, epochs: 3 })).toEqual({
      ...presetNamed("digits"),
      batch: 32,
      epochs: 3,
    });
  });
  it("sets any field, as JSON or as text", () => {
    const preset = resolvePreset({
      set: [
        "optimizer.learningRate=0.3",
        "views.0.blur.probability=0.25",
        "name=own=one",
        "image.mean=[0.5]",
      ],
    });
    expect(preset.optimizer.learningRate).toBe(0.3);
    expect(preset.views.map(({ blur }) => blur.probability)).toEqual([0.25, 0.5]);
    expect(preset.name).toBe("own=one");
    expect(preset.image.mean).toEqual([0.5]);
  });
  it("sets fields that a preset may leave out", () => {
    expect(resolvePreset({ set: ["network.checkpoint=stage"] }).network.checkpoint).toBe("stage");
  });
  it("leaves the preset itself as it was", () => {
    const before = structuredClone(presetNamed("digits"));
    resolvePreset({ set: ["views.0.flip=1", "image.mean=[0.5]"] });
    expect(presetNamed("digits")).toEqual(before);
  });
  it("names the nearest field where there is none", () => {
    expect(() => resolvePreset({ set: ["optimizer.learningrate=1"] })).toThrow(
      /no field "optimizer.learningrate" \(did you mean "optimizer.learningRate"\?\)/,
    );
    expect(() => resolvePreset({ set: ["views.2.flip=1"] })).toThrow(/did you mean "views.[01].flip"/);
    expect(() => resolvePreset({ set: ["__proto__.x=1"] })).toThrow(/no field/);
  });
  it("refuses what is no assignment, and values that do not fit", () => {
    expect(() => resolvePreset({ set: ["epochs"] })).toThrow(/"epochs" is not PATH=VALUE/);
    expect(() => resolvePreset({ set: ["batch=1"] })).toThrow(/batch: /);
    expect(() => resolvePreset({ set: ["optimizer.trust=1"] })).toThrow(/optimizer: .*trust/);
    expect(() => resolvePreset({ set: ["optimizer=3", "optimizer.trust=1"] })).toThrow(/holds no fields/);
  });
  it("merges a file: fields of objects, elements of lists of objects, whole lists of numbers", () => {
    const config = file({
      extends: "emoji",
      epochs: 5,
      image: { size: 48 },
      views: [{}, { flip: 0.25, crop: { area: [0.5, 1] } }],
    });
    const emoji = presetNamed("emoji");
    const [first, second] = emoji.views;
    expect(resolvePreset({ config })).toEqual({
      ...emoji,
      epochs: 5,
      image: { ...emoji.image, size: 48 },
      views: [first, { ...second, flip: 0.25, crop: { ...second.crop, area: [0.5, 1] } }],
    });
  });
  it("puts --set over the file, and flags over --set", () => {
    const config = file({ epochs: 5, batch: 8 });
    const flags = { config, set: ["batch=16", "epochs=6"], epochs: 7 };
    expect(resolvePreset(flags)).toMatchObject({ name: "digits", batch: 16, epochs: 7 });
  });
  it("replaces an optimiser of another kind, and merges one of the same", () => {
    const sgd = { kind: "sgd", learningRate: 0.1, weightDecay: 0, momentum: 0.9, nesterov: true };
    expect(resolvePreset({ config: file({ optimizer: sgd }) }).optimizer).toEqual(sgd);
    expect(resolvePreset({ config: file({ optimizer: { kind: "adamw", beta1: 0.8 } }) }).optimizer).toEqual({
      ...presetNamed("digits").optimizer,
      beta1: 0.8,
    });
  });
  it("takes what `byol presets NAME` prints, and the preset of a run's config.json", () => {
    const preset = resolvePreset({ preset: "imagenet-r50x2", batch: 256 });
    expect(resolvePreset({ config: file(preset) })).toEqual(preset);
  });
  it("refuses bad files, in a line", () => {
    expect(() => resolvePreset({ config: join(folder, "none.json") })).toThrow(/none.json cannot be read/);
    expect(() => resolvePreset({ config: file("{") })).toThrow(/config.json is no JSON/);
    expect(() => resolvePreset({ config: file([1]) })).toThrow(/no JSON object/);
    expect(() => resolvePreset({ config: file({ extends: 3 }) })).toThrow(/"extends"/);
    expect(() => resolvePreset({ config: file({ extends: "nope" }) })).toThrow(/there is no "nope"/);
    expect(() => resolvePreset({ config: file({ epoch: 3 }) })).toThrow(/did you mean "epochs"/);
    for (const mistake of [
      { extends: "digitz" },
      { epoch: 3 },
      { epochs: "many" },
      { optimizer: { kind: "x" } },
    ])
      expect(() => resolvePreset({ config: file(mistake) })).toThrow(/^config: .*config\.json: /);
    expect(() => resolvePreset({ config: join(folder, "confg.json") })).toThrow(
      /\(did you mean "config.json"\?\)/,
    );
    const nested = `${'{"views":['.repeat(20_000)}${"]}".repeat(20_000)}`;
    expect(() => resolvePreset({ config: file(nested) })).toThrow(/config.json is nested deeper than 16/);
    const lists = "[".repeat(20_000) + "]".repeat(20_000);
    expect(() => resolvePreset({ set: [`epochs=${lists}`] })).toThrow(/value of "epochs" is nested deeper/);
    expect(() => resolvePreset({ config: file(" ".repeat(2 ** 20 + 1)) })).toThrow(/has 1048577 bytes/);
    expect(() => resolvePreset({ config: folder })).toThrow(/is not a regular file/);
    expect(() => resolvePreset({ config: file({ extends: "emoji" }), preset: "digits" })).toThrow(
      /extends "emoji", but --preset says "digits"/,
    );
  });
});

it("asks for images where only the user knows them", () => {
  expect(() => dataOf(presetNamed("folder"))).toThrow(/--data DIR/);
  expect(() => dataOf(presetNamed("cifar10-r18"))).toThrow(/--data cifar10:DIR/);
  expect(dataOf(resolvePreset({ preset: "stl10-r18", data: "stl10:/x" }))).toBe("stl10:/x");
});

it("knows every field by its path", () => {
  for (const path of ["batch", "views.1.crop.area.0", "optimizer.beta1", "optimizer.trust", "image.mean"])
    expect(presetPaths()).toContain(path);
});
