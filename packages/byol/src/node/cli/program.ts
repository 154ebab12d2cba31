/** The command line: words in, exit code out. */
import { DawnstrapError } from "@dawnstrap/tensor";
import { Command } from "commander";
import { packageVersion } from "../../version.js";
import { Interrupted, UsageError } from "../../errors.js";
import { printable, visible } from "../report/escape.js";
import { embedCommand } from "./commands/embed.js";
import { evaluateCommand } from "./commands/evaluate.js";
import { planCommand } from "./commands/plan.js";
import { presetsCommand } from "./commands/presets.js";
import { pretrainCommand } from "./commands/pretrain.js";
import { reportCommand } from "./commands/report.js";
import { resumeCommand } from "./commands/resume.js";
import { searchCommand } from "./commands/search.js";
import { viewsCommand } from "./commands/views.js";
import { note } from "./outputs.js";

/** Each stands in a file of its own below `commands/`. */
const commands: readonly (() => Command)[] = [
  pretrainCommand,
  resumeCommand,
  presetsCommand,
  planCommand,
  evaluateCommand,
  embedCommand,
  searchCommand,
  viewsCommand,
  reportCommand,
];

function build(): Command {
  const program = new Command("byol")
    .description("Trains image encoders without labels (Bootstrap Your Own Latent)")
    .version(packageVersion);
  for (const command of commands) program.addCommand(command());
  prepare(program);
  return program;
}

/** Errors of the command and of all below it are thrown, not exited with. */
function prepare(command: Command): void {
  command
    .showHelpAfterError("(--help shows the options)")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(visible(text)) });
  for (const below of command.commands) prepare(below as Command);
}

/**
 * Runs the command line `words` (without the program's own name). Returns the exit code: 0 where all went well, 2 where
 * other words are needed, 128 + its number where a signal stopped a run, 1 for every other failure.
 */
export async function main(words: readonly string[]): Promise<number> {
  try {
    await build().parseAsync(words, { from: "user" });
    return 0;
  } catch (error) {
    // Commander has printed its own complaint (or the help that was asked for) already.
    if (isCommanderError(error)) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Interrupted) {
      note(error.message);
      return error.exitCode;
    }
    if (process.env.DEBUG) console.error(error);
    else {
      const message = error instanceof Error ? error.message : String(error);
      const hint = error instanceof DawnstrapError ? "" : " (unexpected; DEBUG=1 shows where)";
      process.stderr.write(`error: ${printable(message.replaceAll(/\s*\n\s*/g, " "))}${hint}\n`);
    }
    return error instanceof UsageError ? 2 : 1;
  }
}

const isCommanderError = (error: unknown): error is { exitCode: number } =>
  error instanceof Error &&
  "exitCode" in error &&
  String((error as { code?: string }).code).startsWith("commander.");
