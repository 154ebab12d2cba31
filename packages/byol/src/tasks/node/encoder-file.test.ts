import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveStateDict } from "@dawnstrap/nn";
import { afterAll, beforeAll, expect, it } from "vitest";
import { presetNamed } from "../../presets/index.js";
import { randomEncoder } from "../encoder.js";
import { readEncoder } from "./encoder-file.js";

let root: string;
let own: string;
let others: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "encoder-file-test-"));
  [own, others] = [join(root, "encoder.safetensors"), join(root, "others.safetensors")];
  const { weights } = await randomEncoder(presetNamed("tiny"), 0);
  await saveStateDict(own, weights, { preset: "tiny" });
  await saveStateDict(others, weights);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const config = (text: string) => writeFile(join(root, "config.json"), text);

it("an encoder of ours is brought images as the configuration beside it says", async () => {
  const preset = { ...presetNamed("tiny"), name: "mine" };
  await config(JSON.stringify({ data: "digits", seed: 0, steps: 1, preset }));
  expect((await readEncoder(own)).name).toBe("mine");
  expect((await readEncoder(others)).name).toBe("mine");
});

it.each([
  ["is cut", '{"data":', /config\.json is not JSON/],
  ["lacks the preset", '{"data":"digits","seed":0,"steps":1}', /config\.json: preset: /],
])(
  "a configuration that %s is named; other weights may have one of another kind",
  async (_, text, message) => {
    await config(text);
    await expect(readEncoder(own)).rejects.toThrow(message);
    expect((await readEncoder(others, { preset: "tiny" })).name).toBe("tiny");
    await expect(readEncoder(others)).rejects.toThrow(/name a preset with --preset/);
  },
);
