/** Whether a run fits the device, and what would. */
import type { Device } from "@dawnstrap/tensor";
import type { ImageShape } from "../data/source.js";
import type { Preset } from "../preset.js";
import { type Bytes, bytesOrReason } from "./step.js";

export type Checkpoint = "none" | "stage" | "block";
export const checkpoints: readonly Checkpoint[] = ["none", "stage", "block"];

/** The preset with another way of keeping activations. */
export function withCheckpoint(preset: Preset, checkpoint: Checkpoint): Preset {
  const { checkpoint: _, ...network } = preset.network;
  return { ...preset, network: checkpoint === "none" ? network : { ...network, checkpoint } };
}

export interface Place {
  readonly device: Device;
  readonly image: ImageShape;
  readonly classes: number;
  /** Bytes that the device holds; undefined where nobody says. */
  readonly memory: number | undefined;
}

export const fits = (bytes: Bytes | string, { memory }: Place): boolean =>
  typeof bytes !== "string" && (memory === undefined || bytes.peak <= memory);

const plan = (preset: Preset, batch: number, { device, image, classes }: Place) =>
  bytesOrReason(device, { ...preset, batch }, image, classes);

/** The largest batch that fits, halving from `most` on; undefined where not even two images do. */
export async function largestBatch(preset: Preset, most: number, place: Place): Promise<number | undefined> {
  for (let batch = most; batch >= 2; batch = Math.floor(batch / 2))
    if (fits(await plan(preset, batch, place), place)) return batch;
  return undefined;
}
