/** The words of the command line, checked and turned into what `pretrain` takes. */
import { randomBytes } from "node:crypto";
import { type DeviceChoice, deviceChoices } from "@dawnstrap/tensor";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { PresetOptions } from "../../config/node/file.js";
import { dataNames } from "../../images/node/open.js";
import type { DataOptions } from "../../images/source.js";
import { variantNames } from "../../methods/variants.js";

/** As commander hands them over. */
export interface PretrainFlags extends PresetOptions, DataFlags {
  readonly device: DeviceChoice;
  readonly steps?: number;
  readonly seed: number;
  readonly out?: string;
  readonly tensorboard?: boolean;
}

/** How data are opened. */
export interface DataFlags {
  readonly strict?: boolean;
  readonly anySize?: boolean;
  /** MiB. */
  readonly cache: number;
}

/** Where to compute. */
export const deviceOption = (): Option =>
  new Option("--device <kind>", "where to compute")
    .choices(deviceChoices)
    .default("auto", "auto: a hardware GPU if there is one, else cpu");

/** Which preset, and what is changed in it. */
export const withPresetOptions = (command: Command): Command =>
  command
    .option(
      "--data <what>",
      `${dataNames.join(", ")} (a folder of images; sub-folders are classes); default: what the preset is for`,
    )
    .option("--preset <name>", 'default: the one for the data; "byol presets" lists them')
    .option("--method <name>", `${variantNames.join(", ")}; default: the preset's`)
    .option("--config <file>", "JSON: fields of a preset to change, and the preset that it extends")
    .option(
      "--set <path=value>",
      "change a field of the preset, such as optimizer.learningRate=0.3; may be repeated",
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .option("--epochs <n>", "passes over the images; short for --set epochs=n", positive)
    .option("--batch <n>", "images in a pass; short for --set batch=n", wholeFrom(2))
    .option("--accumulate <n>", "passes whose gradients are averaged for one step", wholeFrom(1))
    .option("--knn-every <epochs>", "epochs between two kNN on the way; 0 for none", wholeFrom(0));

/** How data are opened, for every command that reads images. */
export const withDataOptions = (command: Command): Command =>
  command
    .option("--strict", "stop at the first image that cannot be read, instead of skipping it")
    .option("--any-size", "take a known data set whose parts are not of the published sizes")
    .option("--cache <MiB>", "memory for decoded images; the rest are decoded anew", wholeFrom(0), 2048);

export const dataOptionsOf = ({ strict, anySize, cache }: DataFlags): DataOptions => ({
  strict: strict ?? false,
  anySize: anySize ?? false,
  cacheBytes: cache * 2 ** 20,
});

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

/** runs/NAME-seed0-20260131-101500-3f9a0c: a folder that no other run has, be it begun in the same second. */
export function defaultFolder(preset: string, seed: number, now = new Date()): string {
  const stamp = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  return `runs/${preset}-seed${seed}-${stamp}-${randomBytes(3).toString("hex")}`;
}
