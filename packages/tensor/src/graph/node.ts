/** A recorded application of an op, or a leaf holding data. */
import type { HostArray } from "../dtype.js";
import { StateError } from "../errors.js";
import type { Aval, GraphOp } from "../graph-op.js";
import type { DeviceKind } from "../program.js";
import { refuseFailed, type Storage } from "./storage.js";

let nextId = 0;

/** What nodes are recorded on: of a device, all that the graph knows. */
export interface Recorder {
  readonly kind: DeviceKind;
  /** @internal Told of every node that an op records. */
  recorded(node: Node): void;
}

export class Node {
  /** Recording order: inputs always have smaller ids. */
  readonly id = nextId++;
  /** Computed value of each output; set by a flush. */
  readonly storages: (Storage | undefined)[];
  /** `Storage.version` of each storage when this node was computed. */
  readonly versions: number[];
  /** Host data of a leaf, until it is first needed on the device. */
  host: HostArray | undefined;
  /** How many recorded nodes read this one: a node nobody reads is a result. */
  consumers = 0;

  constructor(
    readonly device: Recorder,
    /** Undefined for a leaf (host data, a program's output, a variable's value). */
    readonly op: GraphOp | undefined,
    /** Emptied once the node is computed: its history is then of no use to anyone. */
    public inputs: readonly NodeOutput[],
    readonly params: unknown,
    readonly outputs: readonly Aval[],
  ) {
    this.storages = outputs.map(() => undefined);
    this.versions = outputs.map(() => 0);
    for (const input of inputs) input.node.consumers++;
  }

  /** @internal */
  settle(output: number, storage: Storage): void {
    this.storages[output] = storage;
    this.versions[output] = storage.version;
  }

  get realized(): boolean {
    return this.storages.every((s) => s !== undefined);
  }
}

export interface NodeOutput {
  readonly node: Node;
  readonly output: number;
}

/** The id that the next node will get: nodes recorded from now on have at least this id. */
export const nodeClock = (): number => nextId;

/** The stored value of an output, refused when a later step has overwritten it. */
export function storageOf({ node, output }: NodeOutput): Storage {
  const storage = node.storages[output]!;
  if (storage.released)
    throw new StateError(
      "this tensor's memory was released at the end of its scope (return it from the scope to keep it) or with its captured function",
    );
  if (node.versions[output] !== storage.version)
    throw new StateError(
      `this tensor was overwritten by ${storage.writer ?? "a later step"}; read it before, or take the new value`,
    );
  refuseFailed(storage);
  return storage;
}
