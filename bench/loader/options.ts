import type { DeviceChoice } from "@dawnstrap/tensor";
import { Option } from "commander";
import { command, deviceOption, whole } from "../shared/options.js";

export const cases = ["digits", "emoji", "folder"] as const;
export type Case = (typeof cases)[number];

export interface Options {
  readonly device: DeviceChoice;
  readonly only?: Case;
  readonly demand?: number;
  readonly batch?: number;
  readonly steps: number;
  readonly images: number;
  readonly json?: string;
  readonly report?: boolean;
}

export const flags = command(
  "bench:loader",
  "Times the loader by itself: an epoch that decodes, epochs from memory, and the step's demand.",
)
  .addOption(deviceOption("where the step runs"))
  .addOption(new Option("--only <case>", "one of the cases").choices(cases))
  .option("--demand <n>", "images a second that the step takes, instead of measuring it", whole(1))
  .option(
    "--batch <n>",
    "images in the measured step; default: 32, which any device holds, or the preset's where they are fewer",
    whole(1),
  )
  .option("--steps <n>", "measured steps, after the one that compiles", whole(1), 3)
  .option("--images <n>", "JPEGs of 500×375 in the generated folder", whole(1), 512)
  .option("--json <file>", "write the measurements to a file")
  .option("--report", "append a section to bench/RESULTS.md");
