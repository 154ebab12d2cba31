/** What `pretrain` and `resume` take about checkpoints. */
import { Option } from "commander";
import type { CheckpointOptions } from "../run/checkpoints/checkpoints.js";
import { positive, wholeFrom } from "./options.js";

export interface CheckpointFlags {
  readonly checkpointSteps?: number;
  readonly checkpointMinutes: number;
  readonly keepCheckpoints: number;
}

export const checkpointOptions = (): Option[] => [
  new Option("--checkpoint-steps <n>", "write a checkpoint every n steps").argParser(wholeFrom(1)),
  new Option("--checkpoint-minutes <m>", "write one when the last is m minutes old")
    .argParser(positive)
    .default(10),
  new Option("--keep-checkpoints <k>", "how many of the last stay, beside the best")
    .argParser(wholeFrom(1))
    .default(3),
];

export const checkpointing = (flags: CheckpointFlags): CheckpointOptions => ({
  minutes: flags.checkpointMinutes,
  keep: flags.keepCheckpoints,
  ...(flags.checkpointSteps !== undefined && { steps: flags.checkpointSteps }),
});
