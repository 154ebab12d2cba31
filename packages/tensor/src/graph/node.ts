/** A recorded application of an op, or a leaf holding data. */
import type { HostArray } from "../dtype.js";
import type { Aval, OpDef } from "../op.js";
import type { Device } from "../device.js";
import type { Storage } from "../run/storage.js";

let nextId = 0;

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
    readonly device: Device,
    /** Undefined for a leaf (host data, a program's output, a variable's value). */
    readonly op: OpDef | undefined,
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
