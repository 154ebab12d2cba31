/** What `evaluate`, `embed` and `search` share: an encoder, images for it, and a device. */
import { type Device, type DeviceChoice, openDevice } from "@dawnstrap/tensor";
import type { Command } from "commander";
import { dataNames, openData } from "../../images/node/open.js";
import type { DataSource } from "../../images/source.js";
import { UsageError } from "../../errors.js";
import { type EncoderFile, randomEncoder } from "../../tasks/encoder.js";
import { readEncoder } from "../../tasks/node/encoder-file.js";
import { note } from "./outputs.js";
import { presetNamed } from "../../presets/index.js";
import { type DataFlags, dataOptionsOf, deviceOption, withDataOptions } from "./options.js";

export interface SubjectFlags extends DataFlags {
  readonly encoder: string;
  readonly data: string;
  readonly preset?: string;
  readonly device: DeviceChoice;
  readonly seed: number;
}

/** Adds them all but the seed. */
export const withSubjectOptions = (command: Command): Command =>
  withDataOptions(
    command
      .requiredOption(
        "--encoder <path>",
        "a run's folder, a .safetensors file (ours, or torchvision's names), or random: the preset's network untrained",
      )
      .requiredOption("--data <what>", dataNames.join(", "))
      .option("--preset <name>", "whose image settings the encoder shares, where its file does not say")
      .addOption(deviceOption()),
  );

/** The encoder that flags name. */
function encoderOf({
  encoder,
  preset,
  seed,
}: Pick<SubjectFlags, "encoder" | "preset" | "seed">): Promise<EncoderFile> {
  if (encoder !== "random") return readEncoder(encoder, preset === undefined ? {} : { preset });
  if (preset === undefined) throw new UsageError("encoder: random needs --preset, which says what network");
  return randomEncoder(presetNamed(preset), seed);
}

export interface Opened {
  readonly device: Device;
  readonly encoder: EncoderFile;
  readonly data: DataSource;
}

/** Opens what the flags name for the time of `use`. */
export async function withEncoder(
  flags: SubjectFlags,
  use: (opened: Opened) => Promise<void>,
): Promise<void> {
  const encoder = await encoderOf(flags);
  const data = await openData(flags.data, encoder.image, dataOptionsOf(flags));
  const device = await openDevice(flags.device);
  try {
    note(`device: ${device.kind}, ${device.description}`);
    for (const text of data.notes ?? []) note(`data: ${text}`);
    await use({ device, encoder, data });
    for (const { file, reason } of data.skipped()) note(`skipped ${file}: ${reason}`);
  } finally {
    await Promise.all([data.close(), device.destroy()]);
  }
}
