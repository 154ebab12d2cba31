/** What users hold: tensors, variables, captured functions, and the device that they live on. */
import { Described } from "./described.js";
import type { DType, HostArray, HostArrayOf } from "./dtype.js";
import { type Nested, toHost } from "./host.js";
import type { Node, Recorder } from "./graph/node.js";
import type { Storage } from "./graph/storage.js";
import type { Backend } from "./program.js";

/** A tensor, or a number that takes the dtype and device of the tensor beside it. */
export type TensorLike = Tensor | number;

/** The ops that are methods, too: `x.add(y)` is `add(x, y)`. */
export interface MethodOps {
  add(x: Tensor, other: TensorLike): Tensor;
  sub(x: Tensor, other: TensorLike): Tensor;
  mul(x: Tensor, other: TensorLike): Tensor;
  div(x: Tensor, other: TensorLike): Tensor;
  neg(x: Tensor): Tensor;
  exp(x: Tensor): Tensor;
  log(x: Tensor): Tensor;
  sqrt(x: Tensor): Tensor;
  relu(x: Tensor): Tensor;
  matmul(x: Tensor, other: Tensor): Tensor;
  sum(x: Tensor, axes?: number | readonly number[], keepDims?: boolean): Tensor;
  mean(x: Tensor, axes?: number | readonly number[], keepDims?: boolean): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  permute(x: Tensor, axes: readonly number[]): Tensor;
  cast(x: Tensor, dtype: DType): Tensor;
}

let methods: MethodOps;
/** Called once by the ops' index. */
export function bindMethods(ops: MethodOps): void {
  methods = ops;
}

/**
 * An n-dimensional array. Ops on tensors only record; work happens when a value is read (`await x.data()`), at
 * `device.flush()`, or when a captured program runs.
 */
export class Tensor extends Described {
  /** @internal */
  constructor(
    readonly node: Node,
    /** Which output of the node. */
    readonly output: number,
  ) {
    super();
  }

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
    // Whatever records nodes is a device.
    return this.node.device as Device;
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
  toJSON(): { dtype: DType; shape: readonly number[]; device: string } {
    return { dtype: this.dtype, shape: this.shape, device: this.device.kind };
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

/** A named place whose value changes from step to step (parameters, statistics, optimiser state). */
export interface Variable {
  readonly device: Device;
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** The value now: the same handle until the next assignment or captured step. */
  readonly value: Tensor;
  /**
   * Gives the variable a new value. It is computed at the next flush, or by the captured step that records this.
   *
   * @throws ShapeError for another shape or dtype, StateError for a value of another device
   */
  assign(value: Tensor): void;
  /** @internal The storage that every value is written to; made at the first flush. */
  storage: Storage | undefined;
  /** @internal The value as recorded, computed or not. */
  readonly pending: Tensor;
  /** @internal */
  settle(value: Tensor): void;
}

/** A function of tensors that was recorded once and is replayed; see `Device.capture`. */
export type CapturedFunction<A extends readonly Tensor[], R> = ((...args: A) => Promise<R>) & {
  /** Frees the programs' memory. */
  release(): void;
};

/** Makes tensors, computes what was recorded, and reads results. Made by `openDevice`. */
export interface Device extends Recorder {
  /** What runs the kernels, in words. */
  readonly description: string;
  /** What decides the bits of results, in words: where it differs, the same program's results may differ in rounding. */
  readonly kernels: string;
  /** Bytes that the device can hold in all, where it tells: WebGPU does not. */
  readonly totalBytes: number | undefined;
  /** @internal Undefined for the reference device, which interprets the graph. */
  readonly backend: Backend | undefined;

  /**
   * A tensor with the given elements (a typed array with a shape, or nested arrays of numbers). Host arrays are not
   * copied: do not change them before they are used.
   *
   * @throws ShapeError where the elements do not fill the shape, or nested arrays are ragged
   */
  tensor(data: HostArray | Nested, shape?: readonly number[], dtype?: DType): Tensor;
  /** A constant tensor. It takes no memory until something needs it stored. */
  full(shape: readonly number[], value: number, dtype?: DType): Tensor;
  /** A tensor of zeros, float32 unless said otherwise. */
  zeros(shape: readonly number[], dtype?: DType): Tensor;
  /** A tensor of ones, float32 unless said otherwise. */
  ones(shape: readonly number[], dtype?: DType): Tensor;
  /** 0, 1, …, n − 1, int32 unless said otherwise. */
  arange(n: number, dtype?: DType): Tensor;
  /** A named place for values of the shape and dtype of the first one. */
  variable(initial: Tensor, name?: string): Variable;

  /**
   * Turns a function of tensors into a program that is recorded and planned at its first call (per shapes and dtypes
   * of the arguments) and replayed afterwards. The function must be synchronous and may read and assign variables.
   * Results are valid until the next call.
   */
  capture<A extends readonly Tensor[], R extends Tensor | readonly Tensor[] | void>(
    fn: (...args: A) => R,
  ): CapturedFunction<A, R>;

  /** Computes everything recorded whose handle is still held and which nothing else consumed, and all assigned variables. */
  flush(onProgress?: (done: number, total: number) => void): Promise<void>;
  /**
   * Computes and keeps these tensors, all in one program, whether or not something has used them already. Reading many
   * tensors that share their history is cheaper after this.
   */
  realize(tensors: readonly Tensor[]): Promise<void>;
  /**
   * Runs a function and frees, when it is done, every result recorded and computed inside that is not among the
   * tensors it returns (variables keep their values). What it returns is computed then, and so is what it assigned.
   */
  scope<T>(fn: () => Promise<T>): Promise<T>;

  /**
   * Bytes of captured programs' arenas, bytes of results and variables, the most bytes ever held, and the number of
   * live results.
   */
  memory(): { arena: number; pool: number; peak: number; live: number };
  /** Resolves when all enqueued work has been done. */
  idle(): Promise<void>;
  /** Waits for what is under way, then frees everything. Later uses of the device throw. */
  destroy(): Promise<void>;

  /** @internal Computes (if need be) and copies a tensor's elements to the host; float64 on the reference device. */
  read(tensor: Tensor): Promise<HostArray>;
  /** @internal */
  variableAssigned(variable: Variable, before: Tensor): void;
  /** @internal The handle on a variable's newest value. */
  variableRead(variable: Variable, current: Tensor): Tensor;
  /** @internal @throws DeviceError when the device was destroyed */
  check(): void;
}
