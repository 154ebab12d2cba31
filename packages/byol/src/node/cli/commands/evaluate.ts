/** `byol evaluate`: protocols on an encoder, a sub-command for each of the table. */
import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { DataError } from "../../../errors.js";
import { fileResult, jsonOf, openEvaluations } from "../../../tasks/node/filed.js";
import type { OptionRow, TextFile } from "../../../tasks/options.js";
import type { Protocol } from "../../../tasks/protocol.js";
import { protocols } from "../../../tasks/protocols/index.js";
import type { Result } from "../../../tasks/result.js";
import { resultTable } from "../../../tasks/result-table.js";
import type { Subject } from "../../../tasks/subject.js";
import { visible } from "../../report/escape.js";
import { showMeter } from "../../report/meter.js";
import { dataOptionsOf, positive, wholeFrom } from "../options.js";
import { checkOutput, writeOutput } from "../output.js";
import { note } from "../outputs.js";
import { type SubjectFlags, withEncoder, withSubjectOptions } from "../subject.js";

interface EvaluateFlags extends SubjectFlags {
  readonly json?: string;
  readonly [option: string]: unknown;
}

/** Numbers with commas between them. */
const list =
  (each: (text: string) => number) =>
  (text: string): number[] => {
    const values = text.split(",").map(each);
    if (new Set(values).size !== values.length)
      throw new InvalidArgumentError("A number stands there twice.");
    return values;
  };
const notNegative = (text: string): number => (Number(text) === 0 ? 0 : positive(text));

/** How the text of an option becomes its value; undefined where it stays text. */
function parserOf({ kind, least = 0 }: OptionRow): ((text: string) => unknown) | undefined {
  if (kind === "whole") return wholeFrom(least);
  if (kind === "positive") return positive;
  if (kind === "wholes") return list(wholeFrom(least));
  if (kind === "positives") return list(positive);
  return kind === "not-negatives" ? list(notNegative) : undefined;
}

const dashed = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function optionOf(name: string, row: OptionRow): Option {
  const value = row.placeholder ? ` <${row.placeholder}>` : "";
  const option = new Option(`--${dashed(name)}${value}`, row.about);
  const parser = parserOf(row);
  if (parser) option.argParser(parser);
  if (row.choices) option.choices(row.choices);
  if (row.fallback !== undefined) option.default(row.fallback);
  if (row.conflicts) option.conflicts(row.conflicts);
  return option;
}

/** The values of a protocol's options: flags as booleans, files read. */
function valuesOf({ options }: Protocol, flags: EvaluateFlags): Record<string, unknown> {
  const value = (name: string, { kind }: OptionRow): unknown => {
    const given = flags[name];
    if (kind === "flag") return Boolean(given);
    return kind === "text-file" && given !== undefined ? textOf(name, given as string) : given;
  };
  return Object.fromEntries(
    Object.entries(options as Record<string, OptionRow>).map(([name, row]) => [name, value(name, row)]),
  );
}

function textOf(name: string, path: string): TextFile {
  try {
    return { path, text: readFileSync(path, "utf8") };
  } catch (error) {
    throw new DataError(
      `${name}: cannot read ${path}: ${(error as Error).message} (name a list of images, one a line)`,
    );
  }
}

/** Opens what the flags name, runs, prints a table, writes the result. */
const withSubject = (flags: EvaluateFlags, run: (subject: Subject) => Promise<Result>): Promise<void> =>
  withEncoder(flags, async (opened) => {
    const { json, seed } = flags;
    // Before anything is computed.
    const folder = openEvaluations(flags.encoder);
    if (json !== undefined) checkOutput("json", json);
    const result = await run({
      ...opened,
      ...{ seed, note, dataOptions: dataOptionsOf(flags), meter: showMeter(note) },
    });
    // Kept before it is shown: what is shown may go into a pipe that is closed.
    if (json !== undefined) await writeOutput("json", json, jsonOf(result));
    const filed = folder === undefined ? undefined : await fileResult(folder, result);
    process.stdout.write(`${visible(resultTable([result]))}\n`);
    if (filed !== undefined) note(`filed as ${filed}`);
  });

function commandOf(protocol: Protocol): Command {
  const command = withSubjectOptions(new Command(protocol.name))
    .description(protocol.about)
    .option("--seed <n>", "of splits, order, augmentation and new weights", wholeFrom(0, 2 ** 32 - 1), 0)
    .option("--json <file>", "write the result, with everything needed to repeat it");
  const names = Object.keys(protocol.options);
  for (const name of names) command.addOption(optionOf(name, protocol.options[name]));
  return command.action((flags: EvaluateFlags) => {
    const given = names.filter((name) => command.getOptionValueSource(name) === "cli");
    const values = valuesOf(protocol, flags);
    protocol.check?.(values, given);
    return withSubject(flags, (subject) => protocol.run(subject, values));
  });
}

/** @param known protocols of one's own may stand among them */
export const evaluateCommand = (known: readonly Protocol[] = protocols): Command =>
  known.reduce(
    (command, protocol) => command.addCommand(commandOf(protocol)),
    new Command("evaluate").description("Measures an encoder by the paper's protocols"),
  );
