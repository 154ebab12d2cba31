import type { DeviceChoice } from "@dawnstrap/tensor";
import { command, deviceOption, pattern, positive } from "../shared/options.js";

export interface Options {
  readonly device: DeviceChoice;
  readonly only?: RegExp;
  readonly json?: string;
  readonly seconds: number;
}

export const flags = command(
  "bench",
  "Times ops, gradients, layers and training steps on one device. Values are checked before they are timed.",
)
  .addOption(deviceOption("where to run"))
  .option(
    "--only <pattern>",
    "cases whose layer and name (as in “tensor: matmul 512”) match, ignoring case",
    pattern,
  )
  .option("--json <file>", "write the measurements to a file")
  .option("--seconds <n>", "time for each case", positive, 1);
