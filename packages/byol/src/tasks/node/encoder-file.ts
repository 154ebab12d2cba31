/** Encoders from files: a run's folder, its encoder.safetensors, or weights by torchvision's names. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import {
  encodeStateDict,
  loadStateDict,
  readStateDict,
  ResNet,
  type ResNetOptions,
  type StateDict,
  stateDict,
  torchvisionForm,
} from "@dawnstrap/nn";
import { type Device, openDevice } from "@dawnstrap/tensor";
import { firstView, type ViewAugmentation } from "../../images/augment/settings.js";
import { UsageError } from "../../errors.js";
import { type Preset, parsePreset } from "../../presets/preset.js";
import { presetNamed } from "../../presets/index.js";
import { imagenetColours } from "../../presets/shared.js";

/** What is known of an encoder before it stands on a device. */
export interface EncoderFile {
  readonly path: string;
  /** Of the file, or, of weights that come from none, of the file that they would make. */
  readonly sha256: string;
  /** Of the ResNet, as the names and shapes of the weights tell them. */
  readonly architecture: ResNetOptions;
  readonly weights: StateDict;
  readonly layout: "native" | "pytorch";
  /** How images are brought to it. */
  readonly image: Preset["image"];
  /** The first view of its pre-training: how far a crop may go, and whether images may be mirrored. */
  readonly view: ViewAugmentation;
  /** The preset it was trained with, or the file's name. */
  readonly name: string;
}

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
    throw new UsageError(`encoder: there is no ${path} (name a run's folder or a .safetensors file)`);
  const file = statSync(path).isDirectory() ? join(path, "encoder.safetensors") : path;
  if (!existsSync(file))
    throw new UsageError(`encoder: ${path} holds no encoder.safetensors (did the run end?)`);
  const { dict, metadata } = await readStateDict(file);
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

/** The network of a preset as it is before training: what features of learnt weights are to be compared with. */
export async function randomEncoder(preset: Preset, seed: number): Promise<EncoderFile> {
  const { block, blocks, width, stem } = preset.network;
  const architecture: ResNetOptions = {
    ...{ block, blocks, stem, baseWidth: width, inputChannels: preset.image.channels },
  };
  const device = await openDevice("cpu");
  try {
    const weights = await stateDict(new ResNet(architecture).init(device, { seed }));
    const { image, views } = preset;
    return {
      path: "random",
      sha256: createHash("sha256").update(encodeStateDict(weights)).digest("hex"),
      ...{ architecture, weights, layout: "native" as const, image, view: views[0] },
      name: `random initialisation of ${preset.name}`,
    };
  } finally {
    await device.destroy();
  }
}

/** The configuration beside an encoder of ours, else the preset that its metadata name. */
function presetOfRun(file: string, name: string | undefined): Preset | undefined {
  const config = join(dirname(file), "config.json");
  if (existsSync(config)) {
    const { preset } = JSON.parse(readFileSync(config, "utf8")) as { preset?: unknown };
    if (preset !== undefined) return parsePreset(preset);
  }
  return name === undefined ? undefined : presetNamed(name);
}

/** Finds block kind, depth, width, stem and shortcuts from the names and shapes of a ResNet's weights. */
export function architectureOf(
  file: string,
  weights: StateDict,
  layout: EncoderFile["layout"],
): ResNetOptions {
  const stem = weights.get("conv1.weight")?.shape;
  const blocks: number[] = [];
  for (let g = 1; weights.has(`layer${g}.0.conv1.weight`); g++) {
    let count = 1;
    while (weights.has(`layer${g}.${count}.conv1.weight`)) count++;
    blocks.push(count);
  }
  if (stem?.length !== 4 || blocks.length === 0) {
    const found = [...weights].slice(0, 4).map(([name, { shape }]) => `${name} [${shape.join(", ")}]`);
    throw new UsageError(
      `encoder: ${file} is not a ResNet: conv1.weight and layer1.0.conv1.weight are looked for, it holds ` +
        `${weights.size} arrays${found.length ? `, such as ${found.join(", ")}` : ""}`,
    );
  }
  const [kernel, input, output] =
    layout === "pytorch" ? [stem[2]!, stem[1]!, stem[0]!] : [stem[0]!, stem[2]!, stem[3]!];
  return {
    block: weights.has("layer1.0.conv3.weight") ? "bottleneck" : "basic",
    blocks,
    baseWidth: output,
    inputChannels: input,
    stem: kernel === 7 ? "imagenet" : "small",
    ...(layout === "pytorch" && torchvisionForm),
    projectionOnFirstGroup: weights.has("layer1.0.downsample.0.weight"),
  };
}

/**
 * The encoder on a device, with its weights.
 *
 * @param options of the network that the weights do not tell, such as the momentum of batch norms
 * @throws UsageError listing the names and shapes that do not fit
 */
export function buildEncoder(
  device: Device,
  file: EncoderFile,
  options: Pick<ResNetOptions, "norm"> = {},
): ResNet {
  const encoder = new ResNet(withNorm(file.architecture, options.norm)).init(device);
  loadEncoder(encoder, file);
  return encoder;
}

/**
 * Gives a network the weights of a file.
 *
 * @throws UsageError listing the names and shapes that do not fit
 */
export function loadEncoder(encoder: ResNet, { path, weights, layout }: EncoderFile): void {
  try {
    loadStateDict(encoder, weights, { layout });
  } catch (error) {
    throw new UsageError(
      `encoder: ${path} does not fit the ResNet that it looks like (is it of another architecture?): ${(error as Error).message}`,
    );
  }
}

/** The same architecture with other options of its batch norms. */
export const withNorm = (architecture: ResNetOptions, norm: ResNetOptions["norm"] = {}): ResNetOptions => ({
  ...architecture,
  norm: { ...architecture.norm, ...norm },
});
