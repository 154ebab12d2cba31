/** The reference device's way to compute: node by node, each by its op's float64 reference. */
import type { DType, HostArray } from "../dtype.js";
import { pendingNodes } from "../graph/build.js";
import type { NdArray } from "../graph-op.js";
import { type Node, type NodeOutput, storageOf } from "../graph/node.js";
import { ArrayStorage, type Storage } from "../graph/storage.js";
import { numel } from "../shape.js";
import type { Tensor } from "../tensor.js";
import {
  type Assignment,
  type Executor,
  type Program,
  type Recording,
  type Session,
  storageFor,
} from "./executor.js";
import { upload } from "./upload.js";

/** Computes the nodes in order; returns the arrays of every output. `leaf` gives the arrays of stored inputs. */
function interpret(nodes: readonly Node[], leaf: (at: NodeOutput) => NdArray): Map<Node, readonly NdArray[]> {
  const results = new Map<Node, readonly NdArray[]>();
  for (const node of nodes) {
    const inputs = node.inputs.map((at) => results.get(at.node)?.[at.output] ?? leaf(at));
    results.set(node, node.op!.reference(inputs, node.params, node.outputs));
  }
  return results;
}

/** All storages of this device hold arrays. */
const asArray = (storage: Storage): ArrayStorage => storage as ArrayStorage;
const stored = (at: NodeOutput): NdArray => asArray(storageOf(at)).array!;

export class Interpreted implements Executor {
  readonly description = "float64 reference";
  readonly kernels = this.description;
  readonly totalBytes = undefined;

  constructor(private readonly session: Session) {}

  newStorage(dtype: DType, elements: number, writer?: string): ArrayStorage {
    return new ArrayStorage(dtype, elements, writer);
  }

  free(storage: Storage): void {
    asArray(storage).array = undefined;
  }
  discard(): void {}

  store(storage: Storage, host: HostArray, shape: readonly number[]): undefined {
    asArray(storage).array = { dtype: storage.dtype, shape, data: Float64Array.from(host) };
  }

  feed({ node, output, dtype, shape }: Tensor, input: Storage): () => void {
    const array = node.host ? { dtype, shape, data: Float64Array.from(node.host) } : stored({ node, output });
    return () => {
      asArray(input).array = array;
    };
  }

  async read(storage: Storage): Promise<HostArray> {
    return asArray(storage).array!.data;
  }

  async runOnce(results: readonly NodeOutput[], assigned: readonly Assignment[]): Promise<void> {
    const { session } = this;
    const targets = [...results, ...assigned.map((a) => a.value)];
    void upload(session, targets);
    const arrays = interpret(pendingNodes(targets), stored);
    const arrayOf = (at: NodeOutput): NdArray => arrays.get(at.node)?.[at.output] ?? stored(at);
    const values = assigned.map((a) => arrayOf(a.value));
    for (const at of results) {
      const { dtype, shape } = at.node.outputs[at.output]!;
      const storage = this.newStorage(dtype, numel(shape));
      storage.array = arrayOf(at);
      at.node.settle(at.output, storage);
      session.results.track(storage, at.node);
    }
    for (const node of new Set(results.map((r) => r.node))) node.inputs = [];
    assigned.forEach(({ variable }, i) => {
      const storage = asArray(storageFor(this, variable));
      storage.array = values[i];
      storage.version++;
      variable.settle(session.leafOf(storage, variable.shape));
    });
  }

  async program({ results, assigned }: Recording, writer: string): Promise<Program> {
    const targets = [...results, ...assigned.map((a) => a.value)];
    void upload(this.session, targets);
    const nodes = pendingNodes(targets);
    const outputs = results.map(({ node, output }) => {
      const { dtype, shape } = node.outputs[output]!;
      return this.newStorage(dtype, numel(shape), writer);
    });
    // What the graph reads: places whose value changes with every step, and constants, kept whatever becomes of their handles.
    const leaves = new Map<Node, readonly { array?: NdArray }[]>();
    const keep = (leaf: Node): void => {
      if (leaf.realized)
        leaves.set(
          leaf,
          leaf.storages.map((s) => (s!.writer ? asArray(s!) : { array: asArray(s!).array })),
        );
    };
    for (const node of nodes) for (const input of node.inputs) keep(input.node);
    for (const { node } of targets) keep(node);
    const leafOf = (at: NodeOutput): NdArray => leaves.get(at.node)![at.output]!.array!;
    return {
      outputs,
      run: () => {
        const arrays = interpret(nodes, leafOf);
        const arrayOf = (at: NodeOutput): NdArray => arrays.get(at.node)?.[at.output] ?? leafOf(at);
        const next = assigned.map(({ value }) => arrayOf(value));
        results.forEach((at, i) => {
          outputs[i]!.array = arrayOf(at);
        });
        assigned.forEach(({ variable }, i) => {
          asArray(storageFor(this, variable)).array = next[i];
        });
      },
      release: () => {},
    };
  }

  trim(): void {}
  memory(): { arena: number; pool: number; peak: number } {
    return { arena: 0, pool: 0, peak: 0 };
  }
  async idle(): Promise<void> {}
  async destroy(): Promise<void> {}
}
