import { command, pattern, positive, whole } from "../shared/options.js";

export interface Options {
  readonly seconds: number;
  readonly seed?: number;
  readonly only?: RegExp;
  readonly processes: number;
  readonly faults: string;
  readonly json?: string;
  readonly replay?: string;
}

export const flags = command(
  "fuzz",
  "Reads damaged files of every format, each in a process with bounds; exit code 1 when one crashes, hangs or is not refused clearly",
)
  .option("--seconds <n>", "how long", positive, 60)
  .option("--seed <n>", "of the inputs; default: another one each time", whole(0))
  .option("--only <pattern>", "formats by their names, a regular expression", pattern)
  .option("--processes <n>", "that read at once", whole(1), 2)
  .option("--faults <dir>", "folder for the inputs that show a fault", "fuzz-faults")
  .option("--json <file>", "write the counts and the faults")
  .option("--replay <file>", "try one input again that a fault was kept of");
