/** Runs of BYOL that another script has made: the same preset and seed gives the same bits, so they need no repeating. */
import { isDeepStrictEqual } from "node:util";
import { parsePreset, type Preset } from "@dawnstrap/byol";
import { readRunFile, type Summary } from "@dawnstrap/byol/node";

/** The summary of a finished run in a folder, if it is one of just this preset and seed on this kind of device. */
export function earlierRun(
  folder: string,
  preset: Preset,
  seed: number,
  device: string,
): Summary | undefined {
  const [summary, config] = [readRunFile(folder, "summary.json"), readRunFile(folder, "config.json")];
  if (!summary || !config) return undefined;
  const same = isDeepStrictEqual(parsePreset(config.preset), preset);
  return same && summary.seed === seed && summary.device === device ? summary : undefined;
}
