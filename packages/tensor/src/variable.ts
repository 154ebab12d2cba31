/** `Variable`, as `device.variable` makes it. */
import { Described } from "./described.js";
import { ShapeError, StateError } from "./errors.js";
import { storageOf } from "./graph/node.js";
import { refuseTooLarge, type Storage } from "./graph/storage.js";
import { sameShape, show } from "./shape.js";
import type { Device, Tensor, Variable } from "./tensor.js";

/** A variable as its device keeps it. */
export class DeviceVariable extends Described implements Variable {
  storage: Storage | undefined;
  private current: Tensor;

  constructor(
    readonly device: Device,
    initial: Tensor,
    readonly name: string,
  ) {
    super();
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

  toString(): string {
    return `Variable(${this.name}, ${this.dtype} ${show(this.shape)} on ${this.device.kind})`;
  }
  toJSON(): unknown {
    return { name: this.name, ...this.current.toJSON() };
  }

  get value(): Tensor {
    this.current = this.device.variableRead(this, this.current);
    return this.current;
  }

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

  get pending(): Tensor {
    return this.current;
  }
  settle(value: Tensor): void {
    this.current = value;
  }
}
