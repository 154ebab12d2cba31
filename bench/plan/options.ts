import { Option } from "commander";
import { command, whole } from "../shared/options.js";

export interface Options {
  readonly device: readonly ("cpu" | "webgpu")[];
  readonly batch: number;
  readonly json?: string;
  readonly report?: boolean;
}

export const flags = command(
  "bench:memory",
  "Plans a BYOL step of ResNet-50 at 224×224 and prints what it keeps in memory.",
)
  .addOption(
    new Option("--device <devices...>", "whose planner")
      .choices(["cpu", "webgpu"])
      .default(["cpu", "webgpu"]),
  )
  .option("--batch <n>", "images in a batch", whole(2), 4)
  .option("--json <file>", "write the numbers to a file")
  .option("--report", "append a section to bench/RESULTS.md");
