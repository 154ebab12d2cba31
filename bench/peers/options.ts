/** The command line of bench:peers. */
import { availableParallelism } from "node:os";
import { Option } from "commander";
import { command, pattern, whole } from "../shared/options.js";
import type { DeviceName } from "./contenders/list.js";

export interface Options {
  readonly device?: DeviceName;
  readonly json?: string;
  readonly resume: boolean;
  readonly only?: RegExp;
  readonly contenders?: RegExp;
  readonly quick: boolean;
  readonly threads: number;
  readonly limit?: number;
  readonly report: boolean;
  readonly list: boolean;
}

export const flags = command("bench:peers", "Times Dawnstrap and other libraries side by side, in turns.")
  .addOption(
    new Option(
      "--device <device>",
      "one device only; default: cpu, then webgpu where there is an adapter",
    ).choices(["cpu", "webgpu"]),
  )
  .option("--json <file>", "write the rows to a file, anew after each case")
  .option("--resume", "keep the file's rows and measure what is missing", false)
  .option("--only <pattern>", "cases whose name matches this regular expression", pattern)
  .option("--contenders <pattern>", "contenders whose name matches (dawnstrap always takes part)", pattern)
  .option("--quick", "a small subset in under three minutes", false)
  .option("--threads <n>", "threads of every contender on the CPU", whole(1), availableParallelism())
  .option(
    "--limit <seconds>",
    "longest first call before a contender is left out of a case; default: 60, quick 10",
    whole(1),
  )
  .option(
    "--report",
    "append the results to bench/RESULTS.md, which a run of all cases does by itself",
    false,
  )
  .option("--list", "print the cases and end", false);

export function optionsOf(args: readonly string[]): Options {
  const options = flags.parse(args, { from: "user" }).opts<Options>();
  if (options.resume && options.json === undefined)
    flags.error("error: option '--resume' needs --json <file>, which it resumes");
  return options;
}

export const devicesOf = ({ device }: Options): readonly DeviceName[] =>
  device ? [device] : ["cpu", "webgpu"];
export const limitOf = ({ limit, quick }: Options): number => limit ?? (quick ? 10 : 60);
export const reports = ({ report, quick, only, contenders }: Options): boolean =>
  report || !(quick || only || contenders);
