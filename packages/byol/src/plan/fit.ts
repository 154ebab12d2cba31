/** Whether a run fits the device, and what would. */
import type { Device } from "@dawnstrap/tensor";
import type { ImageShape } from "../images/source.js";
import { effectiveBatch, type Preset } from "../presets/preset.js";
import { type Bytes, bytesOrReason } from "./step.js";

export type Recompute = "none" | "stage" | "block";
export const recomputes: readonly Recompute[] = ["none", "stage", "block"];

/** The preset with another way of keeping activations. */
export function recomputing(preset: Preset, checkpoint: Recompute): Preset {
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

/** The preset in batches of `size`, accumulated to the same effective batch; a little less where `size` does not divide it. */
const inParts = (preset: Preset, size: number): Preset => ({
  ...preset,
  batch: size,
  accumulate: Math.floor(effectiveBatch(preset) / size),
});

/**
 * The preset with the largest batch that fits, of those that make up the same effective batch (and 2, the least that a
 * batch norm takes); undefined where none does.
 */
export async function inFittingBatches(preset: Preset, place: Place): Promise<Preset | undefined> {
  const { batch } = preset;
  const sizes = Array.from({ length: Math.floor(batch / 2) }, (_, k) => k + 1).filter(
    (size) => size === 2 || (size > 2 && batch % size === 0),
  );
  return largestFitting(
    sizes.map((size) => inParts(preset, size)),
    place,
  );
}

/** The last that fits of presets that differ in their batch and rise with it; a larger batch never takes less. */
export async function largestFitting(rising: readonly Preset[], place: Place): Promise<Preset | undefined> {
  let best: Preset | undefined;
  for (let [low, high] = [0, rising.length - 1]; low <= high; ) {
    const middle = (low + high) >> 1;
    const preset = rising[middle]!;
    if (fits(await bytesOrReason(place.device, preset, place.image, place.classes), place)) {
      best = preset;
      low = middle + 1;
    } else high = middle - 1;
  }
  return best;
}
