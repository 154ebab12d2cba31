/** What whole runs are told. */
import type { DeviceChoice } from "@dawnstrap/tensor";
import type { DataOptions } from "../images/source.js";
import type { Preset } from "../presets/preset.js";
import type { Progress } from "./report/progress.js";
import type { CheckpointOptions } from "./run/checkpoints/checkpoints.js";

/** How a run is carried out, whether begun or resumed. */
export interface RunOptions {
  readonly progress?: Progress;
  /** When checkpoints are written; one is always written at the end and when the signal stops the run. */
  readonly checkpoints?: CheckpointOptions;
  /** Aborted with an exit code as its reason, it stops the run at the next step: Interrupted is thrown. */
  readonly signal?: AbortSignal;
}

export interface PretrainOptions extends RunOptions, DataOptions {
  readonly preset: Preset;
  /** As on the command line: "digits", "emoji", a data set as "kind:path", or a folder of images. */
  readonly data: string;
  /** Default "auto". */
  readonly device?: DeviceChoice;
  /** Of initialisation, shuffling and augmentation. Default 0. */
  readonly seed?: number;
  /** Folder for the results; made when it does not exist. */
  readonly out: string;
  /** Training steps, instead of the preset's epochs. */
  readonly steps?: number;
  /** Write event files for TensorBoard beside metrics.jsonl. Default: false. */
  readonly tensorboard?: boolean;
}

export interface ResumeOptions extends RunOptions {
  /** The run's folder, or one of its checkpoints. */
  readonly from: string;
  /** Where the data are now. Default: where they were. */
  readonly data?: string;
  /** Default: the kind of device it ran on. */
  readonly device?: DeviceChoice;
}
