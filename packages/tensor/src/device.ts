/** `Device`: makes tensors, computes what was recorded, and reads results. */
import type { Backend } from "./backends/backend.js";
import { type DType, type HostArray, storageBytes } from "./dtype.js";
import { DeviceError, ShapeError, StateError } from "./errors.js";
import { checkShape, numel, show } from "./shape.js";
import { arange, full } from "./ops/values/constants.js";
import { Tensor } from "./tensor.js";
import { refuseFailed, storageOf } from "./graph/build.js";
import { captured, type CapturedFunction } from "./run/capture.js";
import { flattenNested, fromHost, type Nested, wordsOf } from "./host.js";
import { Node, type NodeOutput } from "./graph/node.js";
import { Queue } from "./run/queue.js";
import { Pool, refuseTooLarge, Storage } from "./run/storage.js";
import { Results, tensorsIn } from "./run/results.js";
import { runCompiled, runInterpreted } from "./run/run.js";
import { tracing } from "./graph/trace.js";
import { Variable } from "./variable.js";

/** What a capture in progress has seen of the variables. */
export interface VariableTrace {
  readonly read: Set<Variable>;
  /** With the value that each had before, and later with the one that the function gave it. */
  readonly assigned: Map<Variable, Tensor>;
}

export type DeviceKind = "webgpu" | "cpu" | "reference";

export class Device {
  /** @internal */
  readonly pool: Pool | undefined;
  /** @internal */
  readonly queue = new Queue();
  /** @internal Memory of captured programs' arenas, in bytes. */
  arenaBytes = 0;
  private recordedNodes: WeakRef<Node>[] = [];
  private readonly assigned = new Set<Variable>();
  private trace: VariableTrace | undefined;
  private destroyed = false;
  /** @internal */
  readonly results: Results;

  /** @internal Use `openDevice`. */
  constructor(
    readonly kind: DeviceKind,
    /** @internal Undefined for the reference device, which interprets the graph. */
    readonly backend: Backend | undefined,
  ) {
    this.pool = backend && new Pool(backend);
    this.results = new Results(this.pool);
  }

  /** What runs the kernels, in words. */
  get description(): string {
    return this.backend?.description ?? "float64 reference";
  }

  /** Bytes that the device can hold in all, where it tells: WebGPU does not. */
  get totalBytes(): number | undefined {
    return this.backend?.limits.totalBytes;
  }

  // -------------------------------------------------------------- making tensors

  /** A tensor with the given elements (a typed array with a shape, or nested arrays of numbers). Host arrays are not copied: do not change them before they are used. */
  tensor(data: HostArray | Nested, shape?: readonly number[], dtype?: DType): Tensor {
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

  /** A constant tensor. It takes no memory until something needs it stored. */
  full(shape: readonly number[], value: number, dtype: DType = "float32"): Tensor {
    return full(this, shape, value, dtype);
  }
  zeros(shape: readonly number[], dtype: DType = "float32"): Tensor {
    return full(this, shape, 0, dtype);
  }
  ones(shape: readonly number[], dtype: DType = "float32"): Tensor {
    return full(this, shape, 1, dtype);
  }
  /** 0, 1, …, n − 1. */
  arange(n: number, dtype: DType = "int32"): Tensor {
    return arange(this, n, dtype);
  }

  variable(initial: Tensor, name = "variable"): Variable {
    if (this.trace)
      throw new StateError(
        `variable ${name} is made inside a captured function; make it before, its value must outlive the step`,
      );
    return new Variable(this, initial, name);
  }

  /**
   * Turns a function of tensors into a program that is recorded and planned at its first call (per shapes and dtypes
   * of the arguments) and replayed afterwards. The function must be synchronous and may read and assign variables.
   * Results are valid until the next call.
   */
  capture<A extends readonly Tensor[], R extends Tensor | readonly Tensor[] | void>(
    fn: (...args: A) => R,
  ): CapturedFunction<A, R> {
    return captured(this, fn);
  }

  // -------------------------------------------------------------- recording (called by ops and variables)

  /** @internal */
  recorded(node: Node): void {
    this.check();
    // What is recorded while a gradient is traced matters only if it escapes; `escaped` tells of that.
    if (!tracing()) this.recordedNodes.push(new WeakRef(node));
  }

  /** @internal */
  variableAssigned(variable: Variable, before: Tensor): void {
    if (!this.trace) this.assigned.add(variable);
    else if (!this.trace.assigned.has(variable)) this.trace.assigned.set(variable, before);
  }

  /** @internal The handle on a variable's newest value. */
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

  /**
   * @internal Runs a function with its own record of nodes and variables; nothing of it is computed by a flush.
   * Afterwards the variables have their old values again: the new ones are for the program that is made of this.
   */
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

  /** @internal A handle on the value that a storage holds now. */
  leafOf(storage: Storage, shape: readonly number[]): Tensor {
    const node = new Node(this, undefined, [], undefined, [{ shape, dtype: storage.dtype }]);
    node.settle(0, storage);
    return new Tensor(node, 0);
  }

  // -------------------------------------------------------------- computing

  /** Computes everything recorded whose handle is still held and which nothing else consumed, and all assigned variables. */
  async flush(onProgress?: (done: number, total: number) => void): Promise<void> {
    await this.queue.during(() => this.compute([], onProgress));
  }

  /**
   * Computes and keeps these tensors, all in one program, whether or not something has used them already. Reading many
   * tensors that share their history is cheaper after this.
   */
  async realize(tensors: readonly Tensor[]): Promise<void> {
    await this.queue.during(() => this.compute(tensors.filter((t) => !t.node.host).map(outputOf)));
  }

  /** @internal Computes (if need be) and copies a tensor's elements to the host; float64 on the reference device. */
  async read(tensor: Tensor): Promise<HostArray> {
    return this.queue.during(() => this.readBack(tensor));
  }

  private async readBack(tensor: Tensor): Promise<HostArray> {
    this.check();
    const at = { node: tensor.node, output: tensor.output };
    if (tensor.node.host) return tensor.node.host.slice();
    if (tensor.size === 0) return new Float64Array(0);
    if (!tensor.node.realized) await this.compute([at]);
    const storage = storageOf(at);
    if (storage.array) return storage.array.data;
    const bytes = Math.ceil((storage.numel * storageBytes[storage.dtype]) / 4) * 4;
    // The copy is enqueued in order; waiting for it must not hold up what comes after.
    const { copy } = await this.queue.enqueue(() => {
      refuseFailed(storage);
      return { copy: this.backend!.read(storage.memory!, storage.byteOffset, bytes) };
    });
    return wordsOf(storage.dtype, await copy).subarray(0, storage.numel);
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
    const run = this.backend ? runCompiled : runInterpreted;
    try {
      await run(this, results, assigned, onProgress);
    } catch (error) {
      // What was assigned is still to be computed; without this, replays would go on with the old values.
      for (const { variable, value } of assigned)
        if (variable.pending.node === value.node) this.assigned.add(variable);
      // Something else that was pending may be at fault: a read asks for its own tensor only.
      const own = this.resultsOf(wanted);
      if (own.length === 0) throw error;
      await run(this, own, [], onProgress);
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

  /** @internal */
  newStorage(dtype: DType, elements: number, writer?: string): Storage {
    const bytes = elements * storageBytes[dtype];
    if (this.backend) refuseTooLarge(dtype, elements, this.backend.limits);
    const memory = this.pool?.allocate(Math.max(16, Math.ceil(bytes / 16) * 16));
    return new Storage(dtype, elements, memory, 0, writer ? undefined : { holders: 1 }, writer);
  }

  /** @internal The storage that a variable's values are written to. */
  storageFor(variable: Variable): Storage {
    variable.storage ??= this.newStorage(
      variable.dtype,
      numel(variable.shape),
      `a later value of variable ${variable.name}`,
    );
    return variable.storage;
  }

  // -------------------------------------------------------------- memory

  /**
   * Runs a function and frees, when it is done, every result recorded and computed inside that is not among the
   * tensors it returns (variables keep their values). What it returns is computed then, and so is what it assigned.
   */
  scope<T>(fn: () => Promise<T>): Promise<T> {
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

  /**
   * Bytes of captured programs' arenas, bytes of results and variables, the most bytes ever held, and the number of
   * live results.
   */
  memory(): { arena: number; pool: number; peak: number; live: number } {
    return {
      arena: this.arenaBytes,
      pool: (this.pool?.used ?? 0) - this.arenaBytes,
      peak: this.pool?.peak ?? 0,
      live: this.results.live,
    };
  }

  /** Resolves when all enqueued work has been done. */
  async idle(): Promise<void> {
    this.check();
    await this.queue.drained();
    await this.backend?.idle();
  }

  /** Waits for what is under way, then frees everything. Later uses of the device throw. */
  async destroy(): Promise<void> {
    if (this.destroyed) return;
    await this.queue.finished();
    this.destroyed = true;
    await this.backend?.destroy();
  }

  /** @internal @throws DeviceError when the device was destroyed */
  check(): void {
    if (this.destroyed)
      throw new DeviceError(`the ${this.kind} device was destroyed; open another one with openDevice()`);
  }
}

const outputOf = (tensor: Tensor): NodeOutput => ({ node: tensor.node, output: tensor.output });
