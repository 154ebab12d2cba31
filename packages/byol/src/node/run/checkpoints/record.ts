/** What a checkpoint holds beside arrays. */
import type { DeviceKind } from "@dawnstrap/tensor";
import type { DataOptions } from "../../../images/source.js";
import type { Preset } from "../../../presets/preset.js";
import type { Accuracies } from "../../../metrics.js";
import type { Score } from "./score.js";

/**
 * Shuffling, augmentation and schedules are pure functions of the seed and the step (in `preset`, `seed`, `steps` and
 * `step`): these four are the position in the data, the state of everything random, and that of the schedules.
 */
export interface RunRecord {
  /** Of @dawnstrap/byol. */
  readonly version: string;
  /** Updates done; the next one has this number. */
  readonly step: number;
  /** Updates of the whole run. */
  readonly steps: number;
  readonly seed: number;
  /** The effective configuration. */
  readonly preset: Preset;
  /** As it was named on the command line. */
  readonly data: string;
  readonly dataOptions: DataOptions;
  /** Images to train on, which a resumed run has to find again. */
  readonly images: number;
  readonly classes: readonly string[];
  readonly device: DeviceKind;
  /** Whether event files for TensorBoard are written. */
  readonly tensorboard?: boolean;
  /** Measured once, before the first step; absent where that was interrupted. */
  readonly random_init?: Accuracies;
  /** Loss of the first step; null before it. */
  readonly loss_first: number | null;
  /** Spent so far: since the command started, and in training steps. */
  readonly seconds: { readonly all: number; readonly training: number };
  /** The best checkpoint so far. */
  readonly best: Score | null;
}
