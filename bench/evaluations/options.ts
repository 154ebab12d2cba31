import type { DeviceKind } from "@dawnstrap/tensor";
import { Option } from "commander";
import { command, deviceOption, seedList } from "../shared/options.js";
import { resultsFile } from "../shared/section.js";

export const domains = ["digits", "emoji"] as const;
export type Domain = (typeof domains)[number];

export interface Options {
  readonly runs: string;
  readonly device: DeviceKind;
  readonly seeds: readonly number[];
  readonly data: Domain | "both";
  readonly resume?: string;
  readonly results: string;
}

export const flags = command(
  "bench:evaluations",
  "Runs every evaluation protocol on digits and emoji, and adds a table to the results",
)
  .option(
    "--runs <dir>",
    "where the pretrained encoders are; those that are missing are trained",
    "runs/evaluations",
  )
  .addOption(deviceOption("where to run", ["cpu", "webgpu"], "cpu"))
  .option("--seeds <list>", "seeds, with commas between", seedList, [0, 1, 2])
  .addOption(
    new Option("--data <what>", "what is evaluated on").choices([...domains, "both"]).default("both"),
  )
  .option("--resume <file>", "a line of JSON for each result; what the file holds already is not repeated")
  .option("--results <file>", "Markdown file that gets the table at its end", resultsFile);
