/** `Variable`: a named place whose value changes from step to step (parameters, statistics, optimiser state). */
import { ShapeError, StateError } from "./errors.js";
import { sameShape, show } from "./shape.js";
import type { Tensor } from "./tensor.js";
import { storageOf } from "./graph/build.js";
import type { Device } from "./device.js";
import { refuseTooLarge, type Storage } from "./run/storage.js";

export class Variable {
  /** @internal The storage that every value is written to; made at the first flush. */
  storage: Storage | undefined;
  private current: Tensor;

  /** @internal Use `device.variable`. */
  constructor(
    readonly device: Device,
    initial: Tensor,
    readonly name: string,
  ) {
    if (initial.device !== device)
      throw new StateError(`variable ${name}: its first value lives on another device`);
    if (device.backend) refuseTooLarge(initial.dtype, initial.size, device.backend.limits);
    this.current = initial;
    device.variableAssigned(this, initial);
  }

  get shape(): readonly number[] {
    return this.current.shape;
  }
  get dtype(): Tensor["dtype"] {
    return this.current.dtype;
  }

  /** The value now: the same handle until the next assignment or captured step. */
  get value(): Tensor {
    this.current = this.device.variableRead(this, this.current);
    return this.current;
  }

  /** Gives the variable a new value. It is computed at the next flush, or by the captured step that records this. */
  assign(value: Tensor): void {
    if (!sameShape(value.shape, this.shape) || value.dtype !== this.dtype)
      throw new ShapeError(
        "assign",
        `variable ${this.name} is ${this.dtype} ${show(this.shape)}, the new value ${value.dtype} ${show(value.shape)}`,
      );
    if (value.device !== this.device)
      throw new StateError(`assign: variable ${this.name} lives on another device than the value`);
    if (value.node.realized) storageOf(value);
    const before = this.current;
    this.current = value;
    this.device.variableAssigned(this, before);
  }

  /** @internal The value as recorded, computed or not. */
  get pending(): Tensor {
    return this.current;
  }
  /** @internal */
  settle(value: Tensor): void {
    this.current = value;
  }
}
