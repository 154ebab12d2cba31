/** Files of `--config`. */
import { presetNamed } from "@dawnstrap/byol";
import { imageFiles } from "../base-run.js";
import { defineFormat } from "../format.js";
import { brokenJson, changeJson } from "../json.js";
import type { Attempt } from "../trial.js";

interface Config {
  json: unknown;
  broken: boolean;
}

const words = ["--config", "{}/mine.json"];
const views: Attempt = {
  read: "command",
  words: [
    "views",
    ...words,
    "--data",
    "{}/images",
    "--device",
    "cpu",
    "--images",
    "2",
    "--out",
    "{}/views.png",
  ],
  writes: ["views.png"],
};
const plan: Attempt = {
  read: "command",
  words: ["plan", ...words, "--images", "1000", "--classes", "10", "--device", "cpu"],
};

export const config = defineFormat<Config>({
  name: "config",
  sample: (draws) => {
    const { name: _, ...tiny } = structuredClone(presetNamed("tiny"));
    const { network, batch, optimizer } = tiny;
    return {
      json: { extends: "tiny", ...(draws.once(2) ? tiny : { network, batch, optimizer }) },
      broken: false,
    };
  },
  changes: [
    ({ json }, draws) => changeJson(json, draws),
    ({ json }, draws) => changeJson(json, draws),
    ({ json }, draws) => changeJson(json, draws),
    (sample) => {
      sample.broken = true;
    },
  ],
  encode: ({ json, broken }, draws) => {
    const text = JSON.stringify(json, null, 1);
    return new Map([
      ...imageFiles,
      ["mine.json", { bytes: Buffer.from(broken ? brokenJson(text, draws) : text) }],
    ]);
  },
  attempts: () => [views, plan],
});
