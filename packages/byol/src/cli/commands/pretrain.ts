/** `byol pretrain`: trains an encoder, then measures it. */
import { Command, Option } from "commander";
import { dataOf, resolvePreset } from "../../config/resolve.js";
import { clock, showProgress } from "../../report/progress.js";
import { accuracyTable } from "../../report/table.js";
import { pretrain } from "../../train.js";
import { defaultFolder, deviceOption, type PretrainFlags, wholeFrom, withPresetOptions } from "../options.js";

export const pretrainCommand = (): Command =>
  withPresetOptions(
    new Command("pretrain").description(
      "Trains an encoder, then measures it against the same network at random initialisation",
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
    .option("--strict", "stop at the first image that cannot be read, instead of skipping it")
    .option("--any-size", "take a known data set whose parts are not of the published sizes")
    .option(
      "--cache <MiB>",
      "memory for decoded images; the rest are decoded every epoch",
      wholeFrom(0),
      2048,
    )
    .action(run);

async function run(flags: PretrainFlags): Promise<void> {
  const preset = resolvePreset(flags);
  const { summary, folder } = await pretrain({
    preset,
    data: dataOf(preset),
    device: flags.device,
    seed: flags.seed,
    out: flags.out ?? defaultFolder(preset.name, flags.seed),
    strict: flags.strict ?? false,
    anySize: flags.anySize ?? false,
    ...(flags.cache !== undefined && { cacheBytes: flags.cache * 2 ** 20 }),
    ...(flags.steps !== undefined && { steps: flags.steps }),
    tensorboard: flags.tensorboard ?? false,
    progress: showProgress(),
  });
  process.stdout.write(`\n${accuracyTable(summary)}\n\n`);
  process.stdout.write(`${summary.steps} steps in ${clock(summary.seconds)}, results in ${folder}\n`);
}
