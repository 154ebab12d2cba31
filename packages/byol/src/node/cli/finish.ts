import { clock } from "../report/progress.js";
import type { Summary } from "../../metrics.js";
import { accuracyTable } from "../report/table.js";
import { interruptible } from "./interrupt.js";

/** Runs a training to its end, or to the checkpoint at which a signal stops it, and shows what came out. */
export async function finish(
  run: (signal: AbortSignal) => Promise<{ summary: Summary; folder: string }>,
): Promise<void> {
  const { summary, folder } = await interruptible(run);
  process.stdout.write(`\n${accuracyTable(summary)}\n\n`);
  process.stdout.write(`${summary.steps} steps in ${clock(summary.seconds)}, results in ${folder}\n`);
}
