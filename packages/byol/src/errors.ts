import { DawnstrapError } from "@dawnstrap/tensor";

/** A request that cannot be met: an unknown preset, a bad option, an output folder that cannot be written. */
export class UsageError extends DawnstrapError {
  override name = "UsageError";
}

/** Images that are missing, unreadable or too few. */
export class DataError extends DawnstrapError {
  override name = "DataError";
}

/** Training that cannot go on, such as a loss that is not a number. */
export class TrainingError extends DawnstrapError {
  override name = "TrainingError";
}

/** A run that a signal has stopped, at a checkpoint. */
export class Interrupted extends DawnstrapError {
  override name = "Interrupted";
  /** @param exitCode of the process: 128 + the signal's number */
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}
