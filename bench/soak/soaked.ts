/** The run that is soaked: how it is begun, gone on with and looked at. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checksum, findCheckpoint } from "@dawnstrap/byol/node";
import type { Options } from "./options.js";
import { type Half, linesOf, type Running, startByol } from "./process.js";

export interface Soaked {
  readonly options: Options;
  begin(half: Half, folder: string): Running;
  goOn(half: Half, folder: string): Running;
}

export function soaked(options: Options): Soaked {
  const cadence = ["--checkpoint-steps", String(options.checkpointSteps)];
  const run = ["--preset", options.preset, "--device", options.device, "--seed", String(options.seed)];
  return {
    options,
    begin: (half, folder) =>
      startByol(half, ["pretrain", ...run, "--steps", String(options.steps), "--out", folder, ...cadence]),
    goOn: (half, folder) => startByol(half, ["resume", folder, ...cadence]),
  };
}

export async function finish(run: Running): Promise<void> {
  const { code, signal, err } = await run.ended;
  if (code !== 0) throw new Error(`a run ended with ${signal ?? `exit code ${code}`}:\n${err}`);
}

export type Outcome = Record<"state" | "encoder" | "metrics", string>;

/** Checksums of everything that has to be the same. */
export async function outcome({ options }: Soaked, folder: string): Promise<Outcome> {
  const { state } = await findCheckpoint(folder);
  const metrics = linesOf(folder).map((line) => {
    const { images_per_second: _, ...numbers } = JSON.parse(line);
    return JSON.stringify(numbers);
  });
  if (metrics.length !== options.steps)
    throw new Error(`${folder} has the numbers of ${metrics.length} steps, not of ${options.steps}`);
  const sha256 = (of: string | Uint8Array) => createHash("sha256").update(of).digest("hex");
  return {
    state: checksum(state),
    encoder: sha256(readFileSync(join(folder, "encoder.safetensors"))),
    metrics: sha256(metrics.join("\n")),
  };
}

/**
 * Looks at every file under its own name in the folder of a run that was ended from outside.
 *
 * @returns names of files that were being written
 * @throws an error naming a file that is torn
 */
export async function whole(folder: string): Promise<string[]> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const partial = names.filter((name) => name.endsWith(".partial"));
  for (const name of names) {
    if (/^checkpoints.(step-\d+|best)\.safetensors$/.test(name)) await findCheckpoint(join(folder, name));
    if (name.endsWith(".json")) JSON.parse(readFileSync(join(folder, name), "utf8"));
  }
  for (const line of linesOf(folder)) JSON.parse(line);
  return partial;
}
