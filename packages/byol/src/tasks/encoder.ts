/** Encoders: what is known of one before it stands on a device, and how it comes there. */
import {
  encodeStateDict,
  loadStateDict,
  ResNet,
  type ResNetOptions,
  type StateDict,
  stateDict,
  torchvisionForm,
} from "@dawnstrap/nn";
import { type Device, openDevice } from "@dawnstrap/tensor";
import { DataError } from "../errors.js";
import type { ViewAugmentation } from "../images/augment/settings.js";
import type { ImageSettings } from "../images/settings.js";
import { sha256 } from "./digest.js";

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
  readonly image: ImageSettings;
  /** The first view of its pre-training: how far a crop may go, and whether images may be mirrored. */
  readonly view: ViewAugmentation;
  /** The preset it was trained with, or the file's name. */
  readonly name: string;
}

/** What of a preset makes its network. */
export interface NetworkPreset {
  readonly name: string;
  readonly network: Pick<ResNetOptions, "block" | "blocks" | "stem"> & { readonly width: number };
  readonly image: ImageSettings;
  readonly views: readonly [ViewAugmentation, ...unknown[]];
}

/** The network of a preset as it is before training: what features of learnt weights are to be compared with. */
export async function randomEncoder(preset: NetworkPreset, seed: number): Promise<EncoderFile> {
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
      sha256: await sha256(encodeStateDict(weights)),
      ...{ architecture, weights, layout: "native" as const, image, view: views[0] },
      name: `random initialisation of ${preset.name}`,
    };
  } finally {
    await device.destroy();
  }
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
    throw new DataError(
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
 * @throws DataError listing the names and shapes that do not fit
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
 * @throws DataError listing the names and shapes that do not fit
 */
export function loadEncoder(encoder: ResNet, { path, weights, layout }: EncoderFile): void {
  try {
    loadStateDict(encoder, weights, { layout });
  } catch (error) {
    throw new DataError(
      `encoder: ${path} does not fit the ResNet that it looks like (is it of another architecture?): ${(error as Error).message}`,
    );
  }
}

/** The same architecture with other options of its batch norms. */
export const withNorm = (architecture: ResNetOptions, norm: ResNetOptions["norm"] = {}): ResNetOptions => ({
  ...architecture,
  norm: { ...architecture.norm, ...norm },
});
