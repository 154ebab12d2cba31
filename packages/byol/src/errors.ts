import { DawnstrapError } from "@dawnstrap/tensor";

/**
 * A request that cannot be met: an unknown preset, a bad option, an output folder that cannot be written. The command
 * line ends with 2, and with 1 for every other error.
 */
export class UsageError extends DawnstrapError {
  override name = "UsageError";
}

/** A file that could not be written to its end, as on a full disk. */
export class OutputError extends DawnstrapError {
  override name = "OutputError";
}

/** Images that are missing, unreadable or too few, or another file that does not hold what it should. */
export class DataError extends DawnstrapError {
  override name = "DataError";
}

/** Training that cannot go on, such as a loss that is not a number, or that cannot begin, for want of memory. */
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
