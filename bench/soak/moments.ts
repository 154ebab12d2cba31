/** When a run is killed: at random moments, and at those where a careless program would tear its files. */
import { existsSync, mkdirSync, watch } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { philox4x32 } from "@dawnstrap/tensor/extend";
import type { Options } from "./options.js";
import { linesOf, type Running } from "./process.js";

/**
 * start: while it starts; step: anywhere in a step or after it; write: as a checkpoint's temporary file appears; renames:
 * as a checkpoint gets its name, before the best one has been replaced; closing: in the measurements after the last step;
 * results: as the encoder is written after them.
 */
export const aims = ["start", "step", "write", "renames", "closing", "results"] as const;
export type Aim = (typeof aims)[number];

export interface Moment {
  readonly aim: Aim;
  /** Steps that have to be done before. */
  readonly step: number;
  /** Milliseconds to wait then. */
  readonly wait: number;
}

/** Drawn from the seed, in the order of their steps; a fifth of them after the last one. */
export function momentsOf({ kills, steps, seed }: Options): Moment[] {
  const late = Math.round(kills / 5);
  return Array.from({ length: kills }, (_, i): Moment => {
    const [step, aim, wait] = philox4x32([i, 0, 0, 0], [seed, 0]) as unknown as [number, number, number];
    return i < late
      ? { aim: i % 2 ? "results" : "closing", step: steps, wait: wait % 300 }
      : { aim: aims[aim % 4]!, step: 1 + (step % (steps - 1)), wait: wait % 1000 };
  }).sort((a, b) => a.step - b.step);
}

/** Waits for a moment of a run; it may end before. */
export async function reach(run: Running, folder: string, { aim, step, wait }: Moment): Promise<void> {
  const ended = run.ended.then(() => {});
  if (aim === "start") return Promise.race([sleep(wait), ended]);
  while (linesOf(folder).length < step && run.child.exitCode === null) await sleep(20);
  const checkpoints = join(folder, "checkpoints");
  if (aim === "write") return Promise.race([appears(checkpoints, /\.partial$/), ended]);
  if (aim === "renames") return Promise.race([appears(checkpoints, /^step-\d+\.safetensors$/), ended]);
  if (aim === "results") return Promise.race([appears(folder, /^encoder\.safetensors/), ended]);
  return Promise.race([sleep(wait), ended]);
}

/** Until a name comes or goes in a folder. */
function appears(folder: string, name: RegExp): Promise<void> {
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  return new Promise((resolve) => {
    const watcher = watch(folder, (_, file) => {
      if (!file || !name.test(file)) return;
      watcher.close();
      resolve();
    });
  });
}
