/** `byol pretrain`: trains an encoder, then measures it. */
import { Command, Option } from "commander";
import { dataNames } from "../../data/open.js";
import { clock, showProgress } from "../../report/progress.js";
import { accuracyTable } from "../../report/table.js";
import { pretrain } from "../../train.js";
import { presets } from "../../presets.js";
import {
  defaultFolder,
  deviceOption,
  type PretrainFlags,
  positive,
  resolvePreset,
  wholeFrom,
} from "../options.js";

const presetHelp = () =>
  `\nPresets:\n${Object.values(presets)
    .map(
      ({ name, description, expected }) =>
        `  ${name.padEnd(8)} ${description}\n           expected: ${expected}\n`,
    )
    .join("")}`;

export const pretrainCommand = (): Command =>
  new Command("pretrain")
    .description("Trains an encoder, then measures it against the same network at random initialisation")
    .option(
      "--data <what>",
      `${dataNames.join(", ")} (a folder of images; sub-folders are classes); default: digits`,
    )
    .option("--preset <name>", `${Object.keys(presets).join(", ")}; default: the one for the data`)
    .addOption(deviceOption())
    .addOption(new Option("--epochs <n>", "passes over the images").argParser(positive).conflicts("steps"))
    .addOption(new Option("--steps <n>", "training steps, instead of epochs").argParser(wholeFrom(1)))
    .option("--batch <n>", "images in a step", wholeFrom(2))
    .option("--knn-every <epochs>", "epochs between two kNN on the way; 0 for none", wholeFrom(0))
    .option("--seed <n>", "of everything random", wholeFrom(0, 2 ** 32 - 1), 0)
    .option("--out <dir>", "folder for the results; default: a new one below runs/")
    .option("--strict", "stop at the first image that cannot be read, instead of skipping it")
    .option("--any-size", "take a known data set whose parts are not of the published sizes")
    .option(
      "--cache <MiB>",
      "memory for decoded images; the rest are decoded every epoch",
      wholeFrom(0),
      2048,
    )
    .addHelpText("after", presetHelp)
    .action(run);

async function run(flags: PretrainFlags): Promise<void> {
  const { preset, data } = resolvePreset(flags);
  const { summary, folder } = await pretrain({
    preset,
    data,
    device: flags.device,
    seed: flags.seed,
    out: flags.out ?? defaultFolder(preset.name, flags.seed),
    strict: flags.strict ?? false,
    anySize: flags.anySize ?? false,
    ...(flags.cache !== undefined && { cacheBytes: flags.cache * 2 ** 20 }),
    ...(flags.steps !== undefined && { steps: flags.steps }),
    progress: showProgress(),
  });
  process.stdout.write(`\n${accuracyTable(summary)}\n\n`);
  process.stdout.write(`${summary.steps} steps in ${clock(summary.seconds)}, results in ${folder}\n`);
}
