/** A preset, or a part of one, from a JSON file. */
import { readFileSync } from "node:fs";
import { UsageError } from "../../errors.js";
import type { Preset } from "../../presets/preset.js";
import { type ConfigFile, effectivePreset, type PresetFlags } from "../resolve.js";

/** Reads `--config FILE`. Throws UsageError when it cannot be read or is no JSON object. */
function readConfig(file: string): ConfigFile {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const why = error instanceof SyntaxError ? `is no JSON: ${error.message}` : "cannot be read";
    throw new UsageError(`config: ${file} ${why}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError(`config: ${file} holds no JSON object of a preset's fields`);
  const { extends: base, ...part } = value as Record<string, unknown>;
  if (base === undefined) return { path: file, part };
  if (typeof base !== "string")
    throw new UsageError(`config: "extends" in ${file} is not the name of a preset`);
  return { path: file, extends: base, part };
}

/** Options that choose a preset, `--config` among them. */
export interface PresetOptions extends PresetFlags {
  /** The file of `--config`. */
  readonly config?: string;
}

/** The effective preset, with what the file says where there is one. */
export const resolvePreset = ({ config, ...flags }: PresetOptions): Preset =>
  effectivePreset(flags, config === undefined ? undefined : readConfig(config));
