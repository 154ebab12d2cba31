/** `Device`: makes tensors, computes what was recorded, and reads results. */
import type { Backend } from "../devices/device.js";
import { type DType, type HostArray, storageBytes } from "../dtype.js";
import { DawnstrapError, DeviceError, ShapeError, StateError } from "../errors.js";
import type { NdArray } from "../op.js";
import { checkShape, numel, show } from "../shape.js";
import { arange, full } from "../ops/constants.js";
import { Tensor } from "../tensor.js";
import { buildProgram, pendingNodes, storageOf } from "./build.js";
import { bindCalls, type Placed } from "./bind.js";
import { captured, type CapturedFunction } from "./capture.js";
import { flattenNested, fromHost, type Nested, wordsOf } from "./host.js";
import { interpret } from "./interpret.js";
import { Node, type NodeOutput } from "./node.js";
import { Queue } from "./queue.js";
import { Pool, Storage } from "./storage.js";
import { Results } from "./results.js";
import { tracing } from "./trace.js";
import { Variable } from "./variable.js";

/** What a capture in progress has seen of the variables. */
export interface VariableTrace {
  readonly read: Set<Variable>;
  readonly assigned: Set<Variable>;
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
  variableAssigned(variable: Variable): void {
    if (this.trace) this.trace.assigned.add(variable);
    else this.assigned.add(variable);
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

  /** @internal Runs a function with its own record of nodes and variables; nothing of it is computed by a flush. */
  traced<T>(fn: () => T): { result: T; trace: VariableTrace } {
    if (this.trace)
      throw new StateError(
        "capture: a captured function was called inside another one; call it outside, or capture the outer one only",
      );
    const outer = this.recordedNodes;
    const trace: VariableTrace = { read: new Set(), assigned: new Set() };
    this.recordedNodes = [];
    this.trace = trace;
    try {
      return { result: fn(), trace };
    } finally {
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
    await this.compute([], onProgress);
  }

  /** @internal Computes (if need be) and copies a tensor's elements to the host; float64 on the reference device. */
  async read(tensor: Tensor): Promise<HostArray> {
    this.check();
    const at = { node: tensor.node, output: tensor.output };
    if (tensor.node.host) return tensor.node.host.slice();
    if (tensor.size === 0) return new Float64Array(0);
    if (!tensor.node.realized) await this.compute([at]);
    const storage = storageOf(at);
    if (storage.array) return storage.array.data;
    const bytes = Math.ceil((storage.numel * storageBytes[storage.dtype]) / 4) * 4;
    // The copy is enqueued in order; waiting for it must not hold up what comes after.
    const { copy } = await this.queue.enqueue(() => ({
      copy: this.backend!.read(storage.memory!, storage.byteOffset, bytes),
    }));
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
    if (this.backend) await this.runProgram(results, assigned, onProgress);
    else this.interpretAll(results, assigned);
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

  private async runProgram(
    results: readonly NodeOutput[],
    assigned: readonly { variable: Variable; value: NodeOutput }[],
    onProgress?: (done: number, total: number) => void,
  ): Promise<void> {
    const backend = this.backend!;
    const uploads = this.upload(pendingLeaves([...results, ...assigned.map((a) => a.value)]));
    const targets = assigned
      .map((a) => ({ ...a, storage: this.storageFor(a.variable) }))
      .filter((a) => a.value.node.storages[0] !== a.storage);
    const build = buildProgram({
      kind: this.kind as "webgpu" | "cpu",
      limits: backend.limits,
      results,
      assigned: targets,
    });
    const placed = bindCalls(build, backend.limits, this.pool!, undefined);
    results.forEach((at, i) => {
      const storage = placed.results[i]!;
      at.node.settle(at.output, storage);
      this.results.track(storage, at.node);
    });
    for (const node of new Set(results.map((r) => r.node))) node.inputs = [];
    for (const { variable, storage } of targets) {
      storage.version++;
      variable.settle(this.leafOf(storage, variable.shape));
    }
    await this.queue.enqueue(async () => {
      uploads.forEach((write) => write());
      const program = await backend.prepare(placed.calls, onProgress);
      program.run();
      program.release();
      this.freeScratch(placed);
    });
  }

  private freeScratch(placed: Placed): void {
    for (const memory of placed.arenas) this.pool!.release(memory);
  }

  private interpretAll(
    results: readonly NodeOutput[],
    assigned: readonly { variable: Variable; value: NodeOutput }[],
  ): void {
    const targets = [...results, ...assigned.map((a) => a.value)];
    this.upload(pendingLeaves(targets));
    const arrays = interpret(pendingNodes(targets), (at) => storageOf(at).array!);
    const arrayOf = (at: NodeOutput): NdArray => arrays.get(at.node)?.[at.output] ?? storageOf(at).array!;
    const values = assigned.map((a) => arrayOf(a.value));
    for (const at of results) {
      const storage = new Storage(
        at.node.outputs[at.output]!.dtype,
        numel(at.node.outputs[at.output]!.shape),
        undefined,
        0,
      );
      storage.array = arrayOf(at);
      at.node.settle(at.output, storage);
      this.results.track(storage, at.node);
    }
    for (const node of new Set(results.map((r) => r.node))) node.inputs = [];
    assigned.forEach(({ variable }, i) => {
      const storage = this.storageFor(variable);
      storage.array = values[i];
      storage.version++;
      variable.settle(this.leafOf(storage, variable.shape));
    });
  }

  /** @internal Gives host leaves their storage; returns the writes to be done in order. */
  upload(nodes: readonly Node[]): (() => void)[] {
    const writes: (() => void)[] = [];
    for (const node of nodes) {
      const { host } = node;
      if (!host || node.realized) continue;
      const { dtype, shape } = node.outputs[0]!;
      const storage = this.newStorage(dtype, numel(shape));
      if (this.backend) writes.push(() => this.backend!.write(storage.memory!, storage.byteOffset, host));
      else storage.array = { dtype, shape, data: Float64Array.from(host) };
      node.settle(0, storage);
      node.host = undefined;
      this.results.track(storage, node);
    }
    return writes;
  }

  /** @internal */
  newStorage(dtype: DType, elements: number, writer?: string): Storage {
    const bytes = elements * storageBytes[dtype];
    if (this.backend && bytes > this.backend.limits.bindingBytes)
      throw new DeviceError(
        `a ${dtype} tensor of ${elements} elements takes ${bytes} bytes, more than one buffer of this device may hold (${this.backend.limits.bindingBytes}); use smaller batches or split the tensor`,
      );
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
   * Runs a function and frees, when it is done, every result computed inside that is not among the tensors it
   * returns (variables keep their values).
   */
  scope<T>(fn: () => Promise<T>): Promise<T> {
    return this.results.scope(fn);
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
    await this.queue.drained();
    await this.backend?.idle();
  }

  /** Frees everything. Later uses of the device throw. */
  async destroy(): Promise<void> {
    if (this.destroyed) return;
    await this.queue.drained();
    this.destroyed = true;
    await this.backend?.destroy();
  }

  private check(): void {
    if (this.destroyed)
      throw new DawnstrapError(`the ${this.kind} device was destroyed; open another one with openDevice()`);
  }
}

const outputOf = (tensor: Tensor): NodeOutput => ({ node: tensor.node, output: tensor.output });

/** Host leaves that the outputs depend on (the outputs themselves included). */
export function pendingLeaves(outputs: readonly NodeOutput[]): Node[] {
  const nodes = pendingNodes(outputs);
  return nodes.filter((n) => n.host !== undefined);
}
