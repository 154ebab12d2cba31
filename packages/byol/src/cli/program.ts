/** The command line: words in, exit code out. */
import { Command, Option } from "commander";
import { DawnstrapError } from "@dawnstrap/tensor";
import { presets } from "../presets.js";
import { pretrain } from "../train.js";
import { accuracyTable } from "../report/table.js";
import { clock, showProgress } from "../report/progress.js";
import { defaultFolder, type PretrainFlags, positive, resolvePreset, wholeFrom } from "./options.js";

const presetHelp = () =>
  `\nPresets:\n${Object.values(presets)
    .map(
      ({ name, description, expected }) =>
        `  ${name.padEnd(8)} ${description}\n           expected: ${expected}\n`,
    )
    .join("")}`;

function build(): Command {
  const program = new Command("byol")
    .description("Trains image encoders without labels (Bootstrap Your Own Latent)")
    .showHelpAfterError("(--help shows the options)")
    .exitOverride();
  program
    .command("pretrain")
    .description("Trains an encoder, then measures it against the same network at random initialisation")
    .option(
      "--data <what>",
      "digits, emoji, or a folder of images (sub-folders are classes); default: digits",
    )
    .option("--preset <name>", `${Object.keys(presets).join(", ")}; default: the one for the data`)
    .addOption(
      new Option("--device <kind>", "where to compute")
        .choices(["auto", "webgpu", "cpu", "reference"])
        .default("auto", "auto: a hardware GPU if there is one, else cpu"),
    )
    .addOption(new Option("--epochs <n>", "passes over the images").argParser(positive).conflicts("steps"))
    .addOption(new Option("--steps <n>", "training steps, instead of epochs").argParser(wholeFrom(1)))
    .option("--batch <n>", "images in a step", wholeFrom(2))
    .option("--seed <n>", "of everything random", wholeFrom(0, 2 ** 32 - 1), 0)
    .option("--out <dir>", "folder for the results; default: a new one below runs/")
    .addHelpText("after", presetHelp)
    .action(run);
  return program;
}

async function run(flags: PretrainFlags): Promise<void> {
  const { preset, data } = resolvePreset(flags);
  const progress = showProgress();
  const { summary, folder } = await pretrain({
    preset,
    data,
    device: flags.device as "auto" | "webgpu" | "cpu" | "reference",
    seed: flags.seed,
    out: flags.out ?? defaultFolder(preset.name, flags.seed),
    ...(flags.steps !== undefined && { steps: flags.steps }),
    progress,
  });
  process.stdout.write(`\n${accuracyTable(summary)}\n\n`);
  process.stdout.write(`${summary.steps} steps in ${clock(summary.seconds)}, results in ${folder}\n`);
}

/** Runs the command line `words` (without the program's own name). Returns the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  try {
    await build().parseAsync(words, { from: "user" });
    return 0;
  } catch (error) {
    // Commander has printed its own complaint (or the help that was asked for) already.
    if (isCommanderError(error)) return error.exitCode;
    if (process.env.DEBUG) console.error(error);
    else {
      const message = error instanceof Error ? error.message : String(error);
      const hint = error instanceof DawnstrapError ? "" : " (unexpected; DEBUG=1 shows where)";
      process.stderr.write(`error: ${message.replaceAll(/\s*\n\s*/g, " ")}${hint}\n`);
    }
    return 1;
  }
}

const isCommanderError = (error: unknown): error is { exitCode: number } =>
  error instanceof Error &&
  "exitCode" in error &&
  String((error as { code?: string }).code).startsWith("commander.");
