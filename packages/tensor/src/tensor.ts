/** `Tensor`: an immutable handle on a value that may not have been computed yet. */
import type { DType } from "./dtype.js";
import { toHost } from "./host.js";
import type { Device } from "./device.js";
import type { Node } from "./graph/node.js";
import type * as Ops from "./ops/index.js";
import type { TensorLike } from "./ops/shared/apply.js";

/** JavaScript values that `data` and friends return, per dtype. */
export interface HostArrayOf {
  float32: Float32Array;
  int32: Int32Array;
  uint32: Uint32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

let methods: typeof Ops;
/** Called once by the ops' index: methods are shorthands for the functions there. */
export function bindMethods(functions: typeof Ops): void {
  methods = functions;
}

/**
 * An n-dimensional array. Ops on tensors only record; work happens when a value is read (`await x.data()`), at
 * `device.flush()`, or when a captured program runs.
 */
export class Tensor {
  /** @internal */
  constructor(
    readonly node: Node,
    /** Which output of the node. */
    readonly output: number,
  ) {}

  get shape(): readonly number[] {
    return this.node.outputs[this.output]!.shape;
  }
  get dtype(): DType {
    return this.node.outputs[this.output]!.dtype;
  }
  get rank(): number {
    return this.shape.length;
  }
  /** Number of elements. */
  get size(): number {
    return this.shape.reduce((n, d) => n * d, 1);
  }
  get device(): Device {
    return this.node.device;
  }

  /** Computes (if need be) and copies the elements to the host, row-major. */
  async data(): Promise<HostArrayOf[DType]> {
    return toHost(this.dtype, await this.device.read(this));
  }

  /** As `data`, widened to float64: the full precision of the reference device. */
  async float64(): Promise<Float64Array> {
    return Float64Array.from(await this.device.read(this));
  }

  /** The only element, as a number. */
  async item(): Promise<number> {
    if (this.size !== 1)
      throw new RangeError(`item: the tensor has ${this.size} elements, shape [${this.shape}]`);
    return (await this.float64())[0]!;
  }

  toString(): string {
    return `Tensor(${this.dtype} [${this.shape.join(", ")}] on ${this.device.kind})`;
  }

  add(other: TensorLike): Tensor {
    return methods.add(this, other);
  }
  sub(other: TensorLike): Tensor {
    return methods.sub(this, other);
  }
  mul(other: TensorLike): Tensor {
    return methods.mul(this, other);
  }
  div(other: TensorLike): Tensor {
    return methods.div(this, other);
  }
  neg(): Tensor {
    return methods.neg(this);
  }
  exp(): Tensor {
    return methods.exp(this);
  }
  log(): Tensor {
    return methods.log(this);
  }
  sqrt(): Tensor {
    return methods.sqrt(this);
  }
  relu(): Tensor {
    return methods.relu(this);
  }
  matmul(other: Tensor): Tensor {
    return methods.matmul(this, other);
  }
  sum(axes?: number | readonly number[], keepDims = false): Tensor {
    return methods.sum(this, axes, keepDims);
  }
  mean(axes?: number | readonly number[], keepDims = false): Tensor {
    return methods.mean(this, axes, keepDims);
  }
  reshape(shape: readonly number[]): Tensor {
    return methods.reshape(this, shape);
  }
  permute(axes: readonly number[]): Tensor {
    return methods.permute(this, axes);
  }
  cast(dtype: DType): Tensor {
    return methods.cast(this, dtype);
  }
}
