import type { DeviceKind } from "@dawnstrap/tensor";
import { command, deviceOption, whole } from "../shared/options.js";
import { resultsFile } from "../shared/section.js";

export interface Options {
  readonly preset: string;
  readonly device: DeviceKind;
  readonly steps: number;
  readonly kills: number;
  readonly seed: number;
  readonly checkpointMinutes: string;
  readonly out?: string;
  readonly results: string;
}

export const flags = command(
  "soak",
  "Kills a run at random moments, resumes it, and compares its end with that of the unbroken run",
)
  .option("--preset <name>", "what to train", "digits")
  .addOption(deviceOption("where to run", ["cpu", "webgpu"], "cpu"))
  .option("--steps <n>", "length; the default takes about an hour on a core each", whole(0), 16_000)
  .option("--kills <n>", "how often", whole(0), 3)
  .option("--seed <n>", "of the run, and of the moments", whole(0), 0)
  .option("--checkpoint-minutes <m>", "as byol pretrain's", "2")
  .option("--out <dir>", "folder for both runs; default: a new one among the temporary files")
  .option("--results <file>", "Markdown file that gets the outcome at its end", resultsFile);
