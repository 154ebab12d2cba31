/** Encoders from files: a run's folder, its encoder.safetensors, or weights by torchvision's names. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { readStateDict, type StateDict } from "@dawnstrap/nn";
import { DawnstrapError } from "@dawnstrap/tensor";
import { firstView } from "../../images/augment/settings.js";
import { DataError, UsageError } from "../../errors.js";
import { nearbyPath } from "../../images/node/nearby.js";
import { architectureOf, type EncoderFile } from "../encoder.js";
import { type Preset, parsePreset } from "../../presets/preset.js";
import { presetNamed } from "../../presets/index.js";
import { imagenetColours } from "../../presets/shared.js";
import { ENCODER, readRunFile } from "../../node/run/files.js";

export interface EncoderOptions {
  /** Preset that says how images are brought to the encoder, for weights that do not come from a run of ours. */
  readonly preset?: string;
}

/** 224 pixels, ImageNet's mean and deviation: what torchvision's encoders were trained on. */
const imagenetImage: Preset["image"] = { stored: 256, size: 224, centre: 224 / 256, ...imagenetColours };

/**
 * Reads an encoder.
 *
 * @param path a run's folder, or a safetensors file in our names or in torchvision's (a classifier `fc` is ignored)
 * @throws UsageError when nothing there is an encoder; SafetensorsError when the file is damaged
 */
export async function readEncoder(path: string, options: EncoderOptions = {}): Promise<EncoderFile> {
  if (!existsSync(path))
    throw new UsageError(
      `encoder: there is no ${path}${nearbyPath(path, ["random"])} (name a run's folder or a .safetensors file)`,
    );
  const file = statSync(path).isDirectory() ? join(path, ENCODER) : path;
  if (!existsSync(file)) throw new UsageError(`encoder: ${path} holds no ${ENCODER} (did the run end?)`);
  const { dict, metadata } = await readStateDict(file).catch((error: Error) => {
    if (error instanceof DawnstrapError) throw error;
    throw new DataError(`encoder: cannot read ${file}: ${error.message}`);
  });
  const weights: StateDict = new Map([...dict].filter(([name]) => !name.startsWith("fc.")));
  const layout = [...weights.keys()].some((name) => name.endsWith(".running_mean")) ? "pytorch" : "native";
  const architecture = architectureOf(file, weights, layout);
  const preset = options.preset ? presetNamed(options.preset) : presetOfRun(file, metadata.preset);
  if (!preset && architecture.stem !== "imagenet")
    throw new UsageError(
      `encoder: ${file} does not say how images are brought to it; name a preset with --preset, whose image settings it shares`,
    );
  const image = preset?.image ?? imagenetImage;
  if (image.channels !== architecture.inputChannels)
    throw new UsageError(
      `encoder: ${file} takes images of ${architecture.inputChannels} channels, preset ${preset?.name} makes ${image.channels}`,
    );
  return {
    path: file,
    sha256: await checksumOf(file),
    architecture,
    weights,
    layout,
    image,
    view: preset?.views[0] ?? firstView,
    name: preset?.name ?? basename(file),
  };
}

/** In pieces: a file may be larger than what fits one buffer. */
async function checksumOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** The configuration of the run beside an encoder of ours, else the preset that its metadata name. */
function presetOfRun(file: string, name: string | undefined): Preset | undefined {
  let config: ReturnType<typeof readRunFile<"config.json">>;
  try {
    config = readRunFile(dirname(file), "config.json");
  } catch (error) {
    // Others' weights may have a config.json of another kind beside them; ours name their preset.
    if (name === undefined) return undefined;
    throw error;
  }
  if (config) return parsePreset(config.preset);
  return name === undefined ? undefined : presetNamed(name);
}
