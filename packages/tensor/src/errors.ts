/** Every error that Dawnstrap throws on purpose. The message names the thing and, where there is one, the remedy. */
export class DawnstrapError extends Error {
  override name = "DawnstrapError";
}

/** Shapes or dtypes that an op cannot combine. Thrown where the op is recorded, so the user's line is on the stack. */
export class ShapeError extends DawnstrapError {
  override name = "ShapeError";
  constructor(
    readonly op: string,
    problem: string,
    hint?: string,
  ) {
    super(`${op}: ${problem}${hint ? ` (${hint})` : ""}`);
  }
}

/** A device that is missing, lost, or too small for what was asked. */
export class DeviceError extends DawnstrapError {
  override name = "DeviceError";
}

/** Raised instead of a result that would be wrong: a value overwritten by a later step, a tensor of another device. */
export class StateError extends DawnstrapError {
  override name = "StateError";
}
