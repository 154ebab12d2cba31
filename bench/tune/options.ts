import { Option } from "commander";
import { command, pattern, positive } from "../shared/options.js";
import { presets } from "./cases.js";

export interface Options {
  readonly preset?: string;
  readonly cases?: RegExp;
  readonly seconds: number;
  readonly list?: true;
  readonly again?: true;
}

export const flags = command(
  "tune",
  "Times the variants of matrix products and convolutions on the WebGPU adapter, after checking them, and keeps the fastest for later runs ($DAWNSTRAP_TUNE_CACHE, else dawnstrap/tune.json in the cache folder).",
)
  .addOption(new Option("--preset <net>", "only the kernels of one net").choices(Object.keys(presets)))
  .option("--cases <pattern>", "only cases whose name matches, ignoring case", pattern)
  .option("--seconds <n>", "time for all of them", positive, 600)
  .option("--list", "show the cases and what is kept for them; tune nothing")
  .option("--again", "also tune what has a result already");
