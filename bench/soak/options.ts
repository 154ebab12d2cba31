import type { DeviceKind } from "@dawnstrap/tensor";
import { Option } from "commander";
import { command, deviceOption, whole } from "../shared/options.js";
import { resultsFile } from "../shared/section.js";

export const parts = ["kills", "contention", "disk"] as const;
export type Part = (typeof parts)[number];

export interface Options {
  readonly parts: readonly Part[];
  readonly preset: string;
  readonly device: DeviceKind;
  readonly steps: number;
  readonly kills: number;
  readonly rounds: number;
  readonly seed: number;
  readonly checkpointSteps: number;
  readonly out?: string;
  readonly results: string;
}

export const flags = command(
  "soak",
  "Kills a run at random and aimed moments, has two processes contend for it, fills its disk; compares its end with that of the unbroken run",
)
  .addOption(
    new Option("--parts <parts...>", "what is done; disk mounts a small file system, which takes a superuser")
      .choices(parts)
      .default(parts),
  )
  .option("--preset <name>", "what to train", "tiny")
  .addOption(deviceOption("where to run", ["cpu", "webgpu"], "cpu"))
  .option("--steps <n>", "length of the run", whole(10), 4000)
  .option("--kills <n>", "how often it is killed", whole(0), 50)
  .option("--rounds <n>", "of contention, and of a full disk", whole(1), 5)
  .option("--seed <n>", "of the run, and of the moments", whole(0), 0)
  .option("--checkpoint-steps <n>", "as byol pretrain's", whole(1), 10)
  .option("--out <dir>", "folder for all runs; default: a new one among the temporary files")
  .option("--results <file>", "Markdown file that gets the outcome at its end", resultsFile);
