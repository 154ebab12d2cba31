/** A preset, or a part of one, from a JSON file. */
import { readFileSync, statSync } from "node:fs";
import { UsageError } from "../../errors.js";
import { nearbyPath } from "../../images/node/nearby.js";
import type { Preset } from "../../presets/preset.js";
import { checkDepth } from "../depth.js";
import { type ConfigFile, effectivePreset, type PresetFlags } from "../resolve.js";

/** A preset is a page of text. */
const mostBytes = 2 ** 20;

/** The text of a regular file of a preset's size: a pipe could be waited for without end. */
function textOf(file: string): string {
  try {
    const found = statSync(file);
    if (!found.isFile()) throw new UsageError(`config: ${file} is not a regular file`);
    if (found.size > mostBytes)
      throw new UsageError(`config: ${file} has ${found.size} bytes, and a preset at most ${mostBytes}`);
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const near = code === "ENOENT" ? nearbyPath(file) : "";
    throw new UsageError(`config: ${file} cannot be read (${code})${near}`);
  }
}

/** Reads `--config FILE`. Throws UsageError when it cannot be read or is no JSON object. */
function readConfig(file: string): ConfigFile {
  const text = textOf(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`config: ${file} is no JSON: ${(error as Error).message}`);
  }
  checkDepth(value, `config: ${file}`);
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
