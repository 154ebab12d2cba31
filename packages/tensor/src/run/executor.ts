/** The one door between a device and the way in which it computes: by compiled kernels, or node by node. */
import type { DType, HostArray } from "../dtype.js";
import type { NodeOutput } from "../graph/node.js";
import type { Storage } from "../graph/storage.js";
import { numel } from "../shape.js";
import type { Device, Tensor, Variable } from "../tensor.js";
import type { Queue } from "./queue.js";
import type { Results } from "./results.js";

/** A variable and the value that it is to get. */
export interface Assignment {
  readonly variable: Variable;
  readonly value: NodeOutput;
}

/** What a capture in progress has seen of the variables. */
export interface VariableTrace {
  readonly read: Set<Variable>;
  /** With the value that each had before, and later with the one that the function gave it. */
  readonly assigned: Map<Variable, Tensor>;
}

/** What was recorded of a captured function. */
export interface Recording {
  /** Where the arguments go. */
  readonly inputs: readonly Storage[];
  readonly results: readonly NodeOutput[];
  readonly assigned: readonly Assignment[];
}

/** A recording that can be run again and again; a run makes nothing anew. */
export interface Program {
  /** Where each result is, after a run. */
  readonly outputs: readonly Storage[];
  run(): void;
  /** Gives up all that the program holds, its inputs among it. */
  release(): void;
}

export interface Executor {
  readonly description: string;
  /** See Device.kernels. */
  readonly kernels: string;
  /** See Device.totalBytes. */
  readonly totalBytes: number | undefined;

  /**
   * A place for a value.
   *
   * @param writer as in Storage
   * @throws DeviceError where the value does not fit into one buffer
   */
  newStorage(dtype: DType, elements: number, writer?: string): Storage;
  /** Gives up what a storage holds. */
  free(storage: Storage): void;
  /** Gives up places that no value was given a handle on. */
  discard(storages: readonly Storage[]): void;
  /** Puts host data into a storage: at once, or by what is returned, which is to be enqueued. */
  store(storage: Storage, host: HostArray, shape: readonly number[]): (() => void) | undefined;
  /** How an argument gets into a program's input, when its turn comes. */
  feed(argument: Tensor, input: Storage): () => void;
  /** A copy of a stored value; float64 on the reference device. */
  read(storage: Storage): Promise<HostArray>;

  /** Computes results and assigned variables, once. */
  runOnce(
    results: readonly NodeOutput[],
    assigned: readonly Assignment[],
    onProgress?: (done: number, total: number) => void,
  ): Promise<void>;
  /** Makes a program that can be replayed. `writer` as in Storage, for its outputs. */
  program(recording: Recording, writer: string): Promise<Program>;

  /** Gives idle memory back. */
  trim(): void;
  /** Bytes, as in Device.memory. */
  memory(): { readonly arena: number; readonly pool: number; readonly peak: number };
  /** Resolves when all enqueued work is done. */
  idle(): Promise<void>;
  destroy(): Promise<void>;
}

/** What the executors and captured functions need of the device that they work for. */
export interface Session extends Device {
  readonly queue: Queue;
  readonly results: Results;
  readonly executor: Executor;
  /** A handle on the value that a storage holds now. */
  leafOf(storage: Storage, shape: readonly number[]): Tensor;
  /**
   * Runs a function with its own record of nodes and variables; nothing of it is computed by a flush. Afterwards the
   * variables have their old values again: the new ones are for the program that is made of this.
   */
  traced<T>(fn: () => T): { result: T; trace: VariableTrace };
}

/** The storage that a variable's values are written to. */
export function storageFor(executor: Executor, variable: Variable): Storage {
  variable.storage ??= executor.newStorage(
    variable.dtype,
    numel(variable.shape),
    `a later value of variable ${variable.name}`,
  );
  return variable.storage;
}
