/** Runs of BYOL that another script has made: the same preset and seed gives the same bits, so they need no repeating. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parsePreset, type Preset } from "@dawnstrap/byol";
import type { Summary } from "@dawnstrap/byol/node";

/** The summary of a finished run in a folder, if it is one of just this preset and seed on this kind of device. */
export function earlierRun(
  folder: string,
  preset: Preset,
  seed: number,
  device: string,
): Summary | undefined {
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));
  if (!existsSync(join(folder, "summary.json"))) return undefined;
  const summary = read("summary.json") as Summary;
  const same = isDeepStrictEqual(parsePreset(read("config.json").preset), preset);
  return same && summary.seed === seed && summary.device === device ? summary : undefined;
}
