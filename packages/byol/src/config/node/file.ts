/** A preset, or a part of one, from a JSON file. */
import { readFileSync } from "node:fs";
import { UsageError } from "../../errors.js";

export interface ConfigFile {
  /** The preset that the file changes. */
  readonly extends?: string;
  /** The fields that it changes. */
  readonly part: Readonly<Record<string, unknown>>;
}

/** Reads `--config FILE`. Throws UsageError when it cannot be read or is no JSON object. */
export function readConfig(file: string): ConfigFile {
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
  if (base === undefined) return { part };
  if (typeof base !== "string")
    throw new UsageError(`config: "extends" in ${file} is not the name of a preset`);
  return { extends: base, part };
}
