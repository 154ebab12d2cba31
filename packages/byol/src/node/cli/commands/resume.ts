/** `byol resume`: goes on with a run that was stopped, as if it never had been. */
import { type DeviceChoice, deviceChoices } from "@dawnstrap/tensor";
import { Command, Option } from "commander";
import { withForecast } from "../../report/meter.js";
import { showProgress } from "../../report/progress.js";
import { resume } from "../../train.js";
import { type CheckpointFlags, checkpointing, checkpointOptions } from "../checkpoint-options.js";
import { finish } from "../finish.js";

export interface ResumeFlags extends CheckpointFlags {
  readonly data?: string;
  readonly device?: DeviceChoice;
}

export const resumeCommand = (): Command => {
  const command = new Command("resume")
    .description("Goes on with a run from its newest checkpoint, bit for bit as if it had not been stopped")
    .argument("<dir>", "folder of the run, or one of its checkpoints")
    .option("--data <what>", "where the data are now, if they have moved")
    .addOption(
      new Option(
        "--device <kind>",
        "default: the run's own; on another the course is not the same bit for bit",
      ).choices(deviceChoices),
    );
  for (const option of checkpointOptions()) command.addOption(option);
  return command.action(resumeRun);
};

export const resumeRun = (from: string, flags: ResumeFlags): Promise<void> =>
  finish((signal) =>
    resume({
      ...{
        from,
        signal,
        checkpoints: checkpointing(flags),
        progress: withForecast(showProgress(), "a faster --device"),
      },
      ...(flags.data !== undefined && { data: flags.data }),
      ...(flags.device !== undefined && { device: flags.device }),
    }),
  );
