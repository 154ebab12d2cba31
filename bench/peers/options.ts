/** The command line of bench:peers. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { DeviceName } from "./contenders/list.js";

export interface Options {
  readonly devices: readonly DeviceName[];
  /** Rows are written here as they come. */
  readonly json?: string;
  /** Leave out cases that the JSON file already has. */
  readonly resume: boolean;
  readonly only?: RegExp;
  readonly contenders?: RegExp;
  readonly quick: boolean;
  readonly threads: number;
  /** Longest time for a contender's first call of a case, in seconds. */
  readonly limit: number;
  /** Append a section to RESULTS.md. */
  readonly report: boolean;
}

export const usage = `npm run bench:peers -- [options]

  --device cpu|webgpu   one device only (default: cpu, then webgpu where there is an adapter)
  --json FILE           write the rows to FILE, anew after each case
  --resume              keep FILE's rows and measure what is missing
  --only PATTERN        cases whose name matches this regular expression
  --contenders PATTERN  contenders whose name matches (dawnstrap always takes part)
  --quick               a small subset in under three minutes
  --threads N           threads of every contender on the CPU (default: one per core)
  --limit SECONDS       longest first call before a contender is left out of a case (default 60; quick 10)
  --report              append the results to bench/RESULTS.md, which a run of all cases does by itself
  --list                print the cases and end
  --help`;

export class UsageError extends Error {}

export function parseOptions(args: readonly string[]): Options | "help" | "list" {
  const values = parse(args);
  if (values.help) return "help";
  if (values.list) return "list";
  const { device, quick = false } = values;
  if (device !== undefined && device !== "cpu" && device !== "webgpu")
    throw new UsageError(`--device ${device}: choose cpu or webgpu`);
  const number = (name: string, text: string | undefined, fallback: number): number => {
    const value = text === undefined ? fallback : Number(text);
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`--${name} ${text}: give a whole number above 0`);
    return value;
  };
  if (values.resume && !values.json) throw new UsageError("--resume needs --json FILE, which it resumes");
  return {
    devices: device ? [device] : ["cpu", "webgpu"],
    json: values.json,
    resume: values.resume ?? false,
    only: pattern("only", values.only),
    contenders: pattern("contenders", values.contenders),
    quick,
    threads: number("threads", values.threads, availableParallelism()),
    limit: number("limit", values.limit, quick ? 10 : 60),
    report: values.report ?? !(quick || values.only || values.contenders),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        device: { type: "string" },
        json: { type: "string" },
        resume: { type: "boolean" },
        only: { type: "string" },
        contenders: { type: "string" },
        quick: { type: "boolean" },
        threads: { type: "string" },
        limit: { type: "string" },
        report: { type: "boolean" },
        list: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function pattern(name: string, text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined;
  try {
    return new RegExp(text, "i");
  } catch (error) {
    throw new UsageError(`--${name} ${text}: ${(error as Error).message}`);
  }
}
