/** `byol pretrain`: trains an encoder, then measures it. */
import { Command, Option } from "commander";
import { resolvePreset } from "../../../config/node/file.js";
import { dataOf } from "../../../config/resolve.js";
import { UsageError } from "../../../errors.js";
import { withForecast } from "../../report/meter.js";
import { showProgress } from "../../report/progress.js";
import { pretrain } from "../../train.js";
import { type CheckpointFlags, checkpointing, checkpointOptions } from "../checkpoint-options.js";
import { finish } from "../finish.js";
import {
  dataOptionsOf,
  defaultFolder,
  deviceOption,
  type PretrainFlags,
  wholeFrom,
  withDataOptions,
  withPresetOptions,
} from "../options.js";
import { type ResumeFlags, resumeCommand, resumeRun } from "./resume.js";

export const pretrainCommand = (): Command => {
  const command = withDataOptions(
    withPresetOptions(
      new Command("pretrain").description(
        "Trains an encoder, then measures it against the same network at random initialisation",
      ),
    ),
  )
    .addOption(deviceOption())
    .addOption(
      new Option("--steps <n>", "training steps, instead of epochs")
        .argParser(wholeFrom(1))
        .conflicts("epochs"),
    )
    .option("--seed <n>", "of everything random", wholeFrom(0, 2 ** 32 - 1), 0)
    .option("--out <dir>", "folder for the results; default: a new one below runs/")
    .option("--tensorboard", "write event files for TensorBoard into the results' folder, too")
    .option("--resume <dir>", "go on with the run in this folder, as byol resume does");
  for (const option of checkpointOptions()) command.addOption(option);
  return command.action(run);
};

type Flags = PretrainFlags & CheckpointFlags & { readonly resume?: string };

async function run(flags: Flags, command: Command): Promise<void> {
  if (flags.resume !== undefined) return resumeRun(flags.resume, resumeFlags(flags, command));
  const preset = resolvePreset(flags);
  await finish((signal) =>
    pretrain({
      preset,
      data: dataOf(preset),
      device: flags.device,
      seed: flags.seed,
      out: flags.out ?? defaultFolder(preset.name, flags.seed),
      ...dataOptionsOf(flags),
      ...(flags.steps !== undefined && { steps: flags.steps }),
      tensorboard: flags.tensorboard ?? false,
      checkpoints: checkpointing(flags),
      signal,
      progress: withForecast(showProgress(), "fewer --epochs, or a smaller preset; byol plan compares"),
    }),
  );
}

/** What was given beside --resume, where that may be given. Throws UsageError naming what the run holds itself. */
function resumeFlags(flags: Flags, command: Command): ResumeFlags {
  const taken = new Set(resumeCommand().options.map(({ long }) => long));
  const given = command.options.filter(
    (option) => command.getOptionValueSource(option.attributeName()) === "cli" && option.long !== "--resume",
  );
  const held = given.filter(({ long }) => !taken.has(long)).map(({ long }) => long);
  if (held.length > 0)
    throw new UsageError(`resume: a run keeps its configuration; leave out ${held.join(", ")}`);
  const { data, device, ...others } = flags;
  return {
    ...others,
    ...(data !== undefined && { data }),
    ...(given.some(({ long }) => long === "--device") && { device }),
  };
}
