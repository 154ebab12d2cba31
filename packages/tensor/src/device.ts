/** The device: makes tensors, keeps what was recorded, and has it computed. */
import { Described } from "./described.js";
import type { DType, HostArray } from "./dtype.js";
import { DeviceError, ShapeError, StateError } from "./errors.js";
import { Node, type NodeOutput, storageOf } from "./graph/node.js";
import type { Storage } from "./graph/storage.js";
import { flattenNested, fromHost, type Nested } from "./host.js";
import type { Backend, DeviceKind } from "./program.js";
import { captured } from "./run/capture.js";
import { Compiled } from "./run/compiled.js";
import type { Executor, Session, VariableTrace } from "./run/executor.js";
import { Interpreted } from "./run/interpreted.js";
import { Queue } from "./run/queue.js";
import { Results, tensorsIn } from "./run/results.js";
import { tracing } from "./run/trace.js";
import { checkShape, numel, show } from "./shape.js";
import { type CapturedFunction, type Device, Tensor, type Variable } from "./tensor.js";
import { DeviceVariable } from "./variable.js";

/** The ops that make tensors from numbers alone. */
export interface ConstantOps {
  full(device: Device, shape: readonly number[], value: number, dtype?: DType): Tensor;
  arange(device: Device, count: number, dtype?: DType): Tensor;
}

let constants: ConstantOps;
/** Called once by the ops' index. */
export function bindConstants(ops: ConstantOps): void {
  constants = ops;
}

export class RunningDevice extends Described implements Session {
  readonly queue = new Queue();
  readonly executor: Executor;
  readonly results = new Results((storage) => this.executor.free(storage));
  private recordedNodes: WeakRef<Node>[] = [];
  private readonly assigned = new Set<Variable>();
  private trace: VariableTrace | undefined;
  private destroyed = false;

  constructor(
    readonly kind: DeviceKind,
    readonly backend: Backend | undefined,
  ) {
    super();
    this.executor = backend ? new Compiled(this, backend) : new Interpreted(this);
  }

  toString(): string {
    return `Device(${this.kind}: ${this.description})`;
  }
  toJSON(): unknown {
    return { kind: this.kind, description: this.description };
  }

  get description(): string {
    return this.executor.description;
  }
  get kernels(): string {
    return this.executor.kernels;
  }
  get totalBytes(): number | undefined {
    return this.executor.totalBytes;
  }

  // -------------------------------------------------------------- making tensors

  tensor(data: HostArray | Nested, shape?: readonly number[], dtype?: DType): Tensor {
    this.check();
    const flat = flattenNested(data);
    const of = shape ?? flat.shape;
    checkShape("tensor", of);
    if (numel(of) !== flat.data.length)
      throw new ShapeError(
        "tensor",
        `${flat.data.length} elements do not fill shape ${show(of)}`,
        `it holds ${numel(of)}`,
      );
    const { array, type } = fromHost(flat.data, dtype, this.kind === "reference");
    const node = new Node(this, undefined, [], undefined, [{ shape: [...of], dtype: type }]);
    node.host = array;
    return new Tensor(node, 0);
  }

  full(shape: readonly number[], value: number, dtype: DType = "float32"): Tensor {
    return constants.full(this, shape, value, dtype);
  }
  zeros(shape: readonly number[], dtype: DType = "float32"): Tensor {
    return constants.full(this, shape, 0, dtype);
  }
  ones(shape: readonly number[], dtype: DType = "float32"): Tensor {
    return constants.full(this, shape, 1, dtype);
  }
  arange(n: number, dtype: DType = "int32"): Tensor {
    return constants.arange(this, n, dtype);
  }

  variable(initial: Tensor, name = "variable"): Variable {
    this.check();
    if (this.trace)
      throw new StateError(
        `variable ${name} is made inside a captured function; make it before, its value must outlive the step`,
      );
    return new DeviceVariable(this, initial, name);
  }

  capture<A extends readonly Tensor[], R extends Tensor | readonly Tensor[] | void>(
    fn: (...args: A) => R,
  ): CapturedFunction<A, R> {
    this.check();
    return captured(this, fn);
  }

  // -------------------------------------------------------------- recording (called by ops and variables)

  recorded(node: Node): void {
    this.check();
    // What is recorded while a gradient is traced matters only if it escapes; `escaped` tells of that.
    if (!tracing()) this.recordedNodes.push(new WeakRef(node));
  }

  variableAssigned(variable: Variable, before: Tensor): void {
    if (!this.trace) this.assigned.add(variable);
    else if (!this.trace.assigned.has(variable)) this.trace.assigned.set(variable, before);
  }

  variableRead(variable: Variable, current: Tensor): Tensor {
    if (this.trace && !this.trace.assigned.has(variable)) this.trace.read.add(variable);
    const { node } = current;
    if (
      !variable.storage ||
      node.storages[0] !== variable.storage ||
      node.versions[0] === variable.storage.version
    )
      return current;
    return this.leafOf(variable.storage, variable.shape);
  }

  traced<T>(fn: () => T): { result: T; trace: VariableTrace } {
    if (this.trace)
      throw new StateError(
        "capture: a captured function was called inside another one; call it outside, or capture the outer one only",
      );
    const outer = this.recordedNodes;
    const trace: VariableTrace = { read: new Set(), assigned: new Map() };
    this.recordedNodes = [];
    this.trace = trace;
    try {
      return { result: fn(), trace };
    } finally {
      for (const [variable, before] of trace.assigned) {
        trace.assigned.set(variable, variable.pending);
        variable.settle(before);
      }
      this.recordedNodes = outer;
      this.trace = undefined;
    }
  }

  leafOf(storage: Storage, shape: readonly number[]): Tensor {
    const node = new Node(this, undefined, [], undefined, [{ shape, dtype: storage.dtype }]);
    node.settle(0, storage);
    return new Tensor(node, 0);
  }

  // -------------------------------------------------------------- computing

  async flush(onProgress?: (done: number, total: number) => void): Promise<void> {
    await this.queue.during(() => this.compute([], onProgress));
  }

  async realize(tensors: readonly Tensor[]): Promise<void> {
    await this.queue.during(() => this.compute(tensors.filter((t) => !t.node.host).map(outputOf)));
  }

  async read(tensor: Tensor): Promise<HostArray> {
    return this.queue.during(() => this.readBack(tensor));
  }

  private async readBack(tensor: Tensor): Promise<HostArray> {
    this.check();
    const at = { node: tensor.node, output: tensor.output };
    if (tensor.node.host) return tensor.node.host.slice();
    if (tensor.size === 0) return new Float64Array(0);
    if (!tensor.node.realized) await this.compute([at]);
    return this.executor.read(storageOf(at));
  }

  /** Computes results, pending sinks and assigned variables in one program. */
  private async compute(
    wanted: readonly NodeOutput[],
    onProgress?: (done: number, total: number) => void,
  ): Promise<void> {
    this.check();
    if (tracing())
      throw new StateError(
        "a value was read or flushed inside a function that grad or capture is tracing; read it after the function returns",
      );
    if (this.trace)
      throw new StateError(
        "a value was read or flushed inside a captured function; return it instead, and read it after the call",
      );
    const results = this.resultsOf(wanted);
    const assigned = [...this.assigned].map((variable) => ({ variable, value: outputOf(variable.pending) }));
    this.assigned.clear();
    this.recordedNodes = [];
    if (results.length === 0 && assigned.length === 0) {
      await this.queue.drained();
      return;
    }
    try {
      await this.executor.runOnce(results, assigned, onProgress);
    } catch (error) {
      // What was assigned is still to be computed; without this, replays would go on with the old values.
      for (const { variable, value } of assigned)
        if (variable.pending.node === value.node) this.assigned.add(variable);
      // Something else that was pending may be at fault: a read asks for its own tensor only.
      const own = this.resultsOf(wanted);
      if (own.length === 0) throw error;
      await this.executor.runOnce(own, [], onProgress);
    }
    await this.results.letGo();
  }

  /** Wanted outputs, and every output of recorded nodes that nobody consumed and somebody still holds. */
  private resultsOf(wanted: readonly NodeOutput[]): NodeOutput[] {
    const results = new Map<Node, Set<number>>();
    const want = ({ node, output }: NodeOutput): void => {
      if (node.realized) return;
      const list = results.get(node) ?? new Set();
      list.add(output);
      results.set(node, list);
    };
    wanted.forEach(want);
    const assignedNodes = new Set([...this.assigned].map((v) => v.pending.node));
    for (const ref of this.recordedNodes) {
      const node = ref.deref();
      if (node && node.consumers === 0 && !assignedNodes.has(node))
        node.outputs.forEach((_, output) => want({ node, output }));
    }
    // Every output of a result's node is kept: a node is either computed or not.
    for (const [node, list] of results) node.outputs.forEach((_, output) => list.add(output));
    return [...results].flatMap(([node, list]) => [...list].map((output) => ({ node, output })));
  }

  // -------------------------------------------------------------- memory

  async scope<T>(fn: () => Promise<T>): Promise<T> {
    this.check();
    return this.results.scope(async (since) => {
      let result: T;
      try {
        result = await fn();
      } finally {
        // A flush to come must not trip over what ends here without having been computed.
        this.recordedNodes = this.recordedNodes.filter((ref) => (ref.deref()?.id ?? since) < since);
      }
      await this.realize(tensorsIn(result).filter((t) => t.device === this));
      return result;
    });
  }

  memory(): { arena: number; pool: number; peak: number; live: number } {
    return { ...this.executor.memory(), live: this.results.live };
  }

  async idle(): Promise<void> {
    this.check();
    await this.queue.drained();
    await this.executor.idle();
  }

  async destroy(): Promise<void> {
    if (this.destroyed) return;
    await this.queue.finished();
    this.destroyed = true;
    await this.executor.destroy();
  }

  check(): void {
    if (this.destroyed)
      throw new DeviceError(`the ${this.kind} device was destroyed; open another one with openDevice()`);
  }
}

const outputOf = (tensor: Tensor): NodeOutput => ({ node: tensor.node, output: tensor.output });
