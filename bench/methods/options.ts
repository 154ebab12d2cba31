import { InvalidArgumentError } from "commander";
import { methods, presetNamed, variantNames } from "@dawnstrap/byol";
import type { DeviceChoice } from "@dawnstrap/tensor";
import { command, deviceOption, positive, seedList } from "../shared/options.js";
import { resultsFile } from "../shared/section.js";
import { untrained } from "./rows.js";

export const digits = presetNamed("digits");
const everyMethod = [untrained, ...methods.map(({ name }) => name)];

function methodList(text: string): string[] {
  const named = text.split(",");
  for (const method of named)
    if (method !== untrained && !variantNames.includes(method))
      throw new InvalidArgumentError(`There is no "${method}".`);
  return named;
}

export interface Options {
  readonly device: DeviceChoice;
  readonly epochs: number;
  readonly seeds: readonly number[];
  readonly methods: readonly string[];
  readonly json?: string;
  readonly resume?: string;
  readonly runs?: string;
  readonly results: string;
}

export const flags = command(
  "bench:methods",
  "Trains every method on digits with every seed, measures the features, and adds a table to the results",
)
  .addOption(deviceOption("where to run"))
  .option("--epochs <n>", "passes over the images", positive, digits.epochs)
  .option("--seeds <list>", "seeds, with commas between", seedList, [0, 1, 2])
  .option("--methods <list>", `some of ${[untrained, ...variantNames].join(", ")}`, methodList, everyMethod)
  .option("--json <file>", "write a line of JSON for each finished run to this file")
  .option("--resume <file>", "as --json, and do not repeat what the file holds already")
  .option(
    "--runs <dir>",
    "where bench:evaluations keeps its runs: BYOL's that are there (digits-SEED) are read, not repeated",
  )
  .option("--results <file>", "Markdown file that gets the table at its end", resultsFile);
