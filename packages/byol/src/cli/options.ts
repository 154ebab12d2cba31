/** The words of the command line, checked and turned into what `pretrain` takes. */
import { type DeviceChoice, deviceChoices } from "@dawnstrap/tensor";
import { InvalidArgumentError, Option } from "commander";
import { UsageError } from "../errors.js";
import type { Preset } from "../preset.js";
import { presetFor, presetNamed } from "../presets.js";

/** As commander hands them over. */
export interface PretrainFlags {
  readonly data?: string;
  readonly preset?: string;
  readonly device: DeviceChoice;
  readonly epochs?: number;
  readonly steps?: number;
  readonly batch?: number;
  readonly knnEvery?: number;
  readonly seed: number;
  readonly out?: string;
  readonly strict?: boolean;
  readonly anySize?: boolean;
  /** MiB. */
  readonly cache?: number;
}

/** Where to compute. */
export const deviceOption = (): Option =>
  new Option("--device <kind>", "where to compute")
    .choices(deviceChoices)
    .default("auto", "auto: a hardware GPU if there is one, else cpu");

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It is not a number.");
  return value;
}

/** A number above 0. */
export function positive(text: string): number {
  const value = number(text);
  if (value <= 0) throw new InvalidArgumentError("It must be greater than 0.");
  return value;
}

/** A whole number, `least` or more. */
export const wholeFrom =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = number(text);
    if (!Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(
        most < Number.MAX_SAFE_INTEGER
          ? `It must be a whole number from ${least} to ${most}.`
          : `It must be a whole number, ${least} or more.`,
      );
    return value;
  };

/** The preset with the flags' changes, and the data. */
export function resolvePreset(flags: PretrainFlags): { preset: Preset; data: string } {
  const named = flags.preset === undefined ? undefined : presetNamed(flags.preset);
  const usual = named && (named.data === "digits" || named.data === "emoji") ? named.data : undefined;
  const data = flags.data ?? usual ?? (named ? undefined : "digits");
  if (data === undefined)
    throw new UsageError(`data: preset "${flags.preset}" is for ${named!.data}; name one with --data DIR`);
  const preset = named ?? presetNamed(presetFor(data));
  return {
    data,
    preset: {
      ...preset,
      batch: flags.batch ?? preset.batch,
      epochs: flags.epochs ?? preset.epochs,
      evaluate: { ...preset.evaluate, knnEvery: flags.knnEvery ?? preset.evaluate.knnEvery },
    },
  };
}

/** runs/NAME-seed0-20260131-101500: a folder that no earlier run has. */
export function defaultFolder(preset: string, seed: number, now = new Date()): string {
  const stamp = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  return `runs/${preset}-seed${seed}-${stamp}`;
}
