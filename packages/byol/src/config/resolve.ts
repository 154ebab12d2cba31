/** From the words of a command to the preset that a run uses: preset ← method ← file ← --set ← shorthands. */
import { UsageError } from "../errors.js";
import type { Preset } from "../presets/preset.js";
import { presetFor, presetNamed } from "../presets/index.js";
import { withMethod } from "../presets/with-method.js";
import { assignmentsOf, override, parseAssignment } from "./override.js";

/** Options that are short for a field of the preset, by the names that commander gives them. */
export const shorthands = {
  ...{ epochs: "epochs", batch: "batch", accumulate: "accumulate" },
  knnEvery: "evaluate.knnEvery",
} as const;

export interface PresetFlags extends Readonly<Partial<Record<keyof typeof shorthands, unknown>>> {
  readonly data?: string;
  readonly preset?: string;
  readonly method?: string;
  readonly set?: readonly string[];
}

/** What a configuration file holds. */
export interface ConfigFile {
  /** Where it was read, for messages. */
  readonly path: string;
  /** The preset that the file changes. */
  readonly extends?: string;
  /** The fields that it changes. */
  readonly part: Readonly<Record<string, unknown>>;
}

/** The effective preset; its `data` is what `--data` says where that was given. */
export function effectivePreset(flags: PresetFlags, file: ConfigFile | undefined): Preset {
  if (flags.preset && file?.extends && flags.preset !== file.extends)
    throw new UsageError(
      `config: ${file.path} extends "${file.extends}", but --preset says "${flags.preset}"; give one of them`,
    );
  const chosen = flags.preset ?? presetOf(file) ?? presetFor(flags.data ?? "digits");
  const named = presetNamed(chosen);
  const base = flags.method === undefined ? named : withMethod(named, flags.method);
  const fromFile = file ? within(file, () => override(base, assignmentsOf(file.part, base))) : base;
  const short = Object.entries({ ...shorthands, data: "data" } as const)
    .filter(([flag]) => flags[flag as keyof PresetFlags] !== undefined)
    .map(([flag, path]) => [path, flags[flag as keyof PresetFlags]] as const);
  return override(fromFile, [...(flags.set ?? []).map(parseAssignment), ...short]);
}

/** The preset that the file extends. Throws UsageError naming the file where there is none of that name. */
const presetOf = (file: ConfigFile | undefined): string | undefined =>
  file?.extends === undefined ? undefined : within(file, () => presetNamed(file.extends!).name);

/** A mistake in the file, said to be there. */
function within<T>({ path }: ConfigFile, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`config: ${path}: ${error.message.replace(/^(set|preset): /, "")}`);
  }
}

/** The data of a preset. Throws UsageError where it is a folder that only the user knows. */
export function dataOf({ name, data }: Preset): string {
  if (data === "DIR" || data.endsWith(":DIR"))
    throw new UsageError(`data: preset "${name}" wants your images; name them with --data ${data}`);
  return data;
}
