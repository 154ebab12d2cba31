/** Builds a program: chooses the nodes, orders them, lowers them, and writes new values back to their variables. */
import { flatten as flat, resetExpressions } from "../expr/expr.js";
import { visitAll } from "../expr/analyze.js";
import { storageBytes } from "../dtype.js";
import { numel, show } from "../shape.js";
import { mapKernel } from "./kernel.js";
import { Lowering, wholeOf, type Value } from "./lowering.js";
import { type Node, type NodeOutput, storageOf } from "./node.js";
import type { Buf, Call, DeviceLimits } from "../program.js";
import { inMemory, type MemoryStorage } from "./storage.js";

export interface BuildRequest {
  readonly limits: DeviceLimits;
  /** Values that must be stored when the program ends. */
  readonly results: readonly NodeOutput[];
  /** Variables whose pending value the program computes and writes to their storage. */
  readonly assigned: readonly {
    readonly value: NodeOutput;
    readonly storage: MemoryStorage;
  }[];
}

export interface Build {
  readonly calls: readonly Call[];
  /** Buffers that exist already. */
  readonly externals: ReadonlyMap<Buf, MemoryStorage>;
  /** The buffer (or window) that holds each result, in the order of the request. */
  readonly results: readonly Buf[];
}

/** Nodes that have to be computed for the given outputs, inputs first. */
export function pendingNodes(outputs: readonly NodeOutput[]): Node[] {
  const found = new Set<Node>();
  const stack = outputs.map((o) => o.node);
  while (stack.length) {
    const node = stack.pop()!;
    if (found.has(node) || node.realized) continue;
    found.add(node);
    for (const input of node.inputs) stack.push(input.node);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

export function buildProgram(request: BuildRequest): Build {
  resetExpressions();
  const targets = [...request.results, ...request.assigned.map((a) => a.value)];
  const nodes = pendingNodes(targets);
  const [early, late] = splitUpdates(nodes);

  const uses = new Map<Node, number[]>();
  const count = ({ node, output }: NodeOutput): void => {
    const list = uses.get(node) ?? [];
    list[output] = (list[output] ?? 0) + 1;
    uses.set(node, list);
  };
  for (const node of nodes) node.inputs.forEach(count);
  targets.forEach(count);
  const usesOf = (at: NodeOutput): number => uses.get(at.node)?.[at.output] ?? 0;

  const lowering = new Lowering(request.limits, usesOf);
  const externals = new Map<Buf, MemoryStorage>();
  const bufOf = new Map<MemoryStorage, Buf>();
  const external = (storage: MemoryStorage): Buf => {
    let buf = bufOf.get(storage);
    if (!buf) {
      buf = lowering.newBuf(storage.dtype, storage.numel);
      bufOf.set(storage, buf);
      externals.set(buf, storage);
    }
    return buf;
  };
  const seeLeaf = (at: NodeOutput): void => {
    if (at.node.realized && !lowering.values.get(at.node)?.[at.output])
      lowering.setBuffer(at.node, at.output, external(inMemory(storageOf(at))));
  };
  for (const node of nodes) node.inputs.forEach(seeLeaf);
  targets.forEach(seeLeaf);
  placeGathered(nodes, lowering, usesOf, request.limits);

  for (const node of early) lowering.lower(node);
  const lateNodes = new Set(late);
  const resultBufs = new Map<number, Buf>();
  const keepResults = (isLate: boolean): void =>
    request.results.forEach((at, i) => {
      if (lateNodes.has(at.node) === isLate)
        resultBufs.set(i, keepResult(lowering, lowering.valueOf(at), externals));
    });
  keepResults(false);

  const waiting = new Set(late);
  const writers = writersOf(request, usesOf);
  for (const node of late) {
    waiting.delete(node);
    lowering.mayOverwrite = (output, buf) => {
      const storage = externals.get(wholeOf(buf));
      const owned = storage && buf === wholeOf(buf) && writers.get(storage)?.has(outputKey({ node, output }));
      if (storage ? !owned : [...resultBufs.values()].some((r) => wholeOf(r) === wholeOf(buf))) return false;
      return noLaterReader(request, lowering, waiting, node, wholeOf(buf));
    };
    lowering.lower(node);
  }
  keepResults(true);
  writeBack(request, lowering, external);
  return { calls: lowering.calls, externals, results: request.results.map((_, i) => resultBufs.get(i)!) };
}

/** Ops that update their inputs in place run after everything else that they do not feed. */
function splitUpdates(nodes: readonly Node[]): [early: Node[], late: Node[]] {
  const late = new Set<Node>();
  for (const node of nodes) if (node.op!.updates || node.inputs.some((i) => late.has(i.node))) late.add(node);
  return [nodes.filter((n) => !late.has(n)), [...late]];
}

/** Gives producers that only feed a gathering op their place inside its output. */
function placeGathered(
  nodes: readonly Node[],
  lowering: Lowering,
  usesOf: (at: NodeOutput) => number,
  limits: DeviceLimits,
): void {
  const give = (at: NodeOutput, place: Buf): void => {
    const list = lowering.placed.get(at.node) ?? [];
    list[at.output] = place;
    lowering.placed.set(at.node, list);
  };
  const ownedByConsumer = (at: NodeOutput): boolean => !at.node.realized && usesOf(at) === 1;
  for (const node of nodes) {
    const offsets = node.op!.gathers?.(
      node.inputs.map(({ node: n, output }) => n.outputs[output]!),
      node.params,
    );
    if (!offsets) continue;
    const { shape, dtype } = node.outputs[0]!;
    const whole = lowering.newBuf(dtype, numel(shape));
    give({ node, output: 0 }, whole);
    node.inputs.forEach((at, i) => {
      const byteOffset = offsets[i]! * storageBytes[dtype];
      if (byteOffset % limits.offsetAlignment !== 0) return;
      const window = lowering.window(whole, dtype, numel(at.node.outputs[at.output]!.shape), byteOffset);
      for (let part: NodeOutput | undefined = at; part && ownedByConsumer(part); part = olderTerm(part))
        give(part, window);
    });
  }
}

/**
 * Of a sum, the term that was recorded first, where it has the sum's shape: such as a gradient of one pass through
 * a network that waits for the gradient of another pass.
 */
function olderTerm({ node, output }: NodeOutput): NodeOutput | undefined {
  if (!node.op!.accumulates) return undefined;
  const [older] = [...node.inputs].sort((a, b) => a.node.id - b.node.id);
  const [term, sum] = [older!.node.outputs[older!.output]!, node.outputs[output]!];
  return term.dtype === sum.dtype && show(term.shape) === show(sum.shape) ? older : undefined;
}

/** A result's buffer: its own, or a window on one that will not change; never a variable's storage. */
function keepResult(lowering: Lowering, value: Value, externals: ReadonlyMap<Buf, MemoryStorage>): Buf {
  if (numel(value.shape) === 0) return lowering.newBuf(value.dtype, 0);
  const buf = lowering.buffer(value);
  if (!externals.get(wholeOf(buf))?.writer) return buf;
  return lowering.copyOf(value);
}

const outputKey = ({ node, output }: NodeOutput): string => `${node.id}.${output}`;

/**
 * For each assigned variable's storage, the outputs of updating ops that may be computed in it: the new value, and
 * the values on the way to it when it was updated several times (output k of such an op updates its input k).
 */
function writersOf(
  request: BuildRequest,
  usesOf: (at: NodeOutput) => number,
): Map<MemoryStorage, Set<string>> {
  const writers = new Map<MemoryStorage, Set<string>>();
  for (const { value, storage } of request.assigned) {
    const keys = new Set<string>();
    for (let at = value; at.node.op?.updates; at = at.node.inputs[at.output]!) {
      if (at !== value && usesOf(at) !== 1) break;
      keys.add(outputKey(at));
    }
    writers.set(storage, keys);
  }
  return writers;
}

/** Whether nothing that is still to come reads the buffer, so that `node` may write over it. */
function noLaterReader(
  request: BuildRequest,
  lowering: Lowering,
  waiting: ReadonlySet<Node>,
  node: Node,
  whole: Buf,
): boolean {
  const reads = (at: NodeOutput): boolean => {
    const value = lowering.values.get(at.node)?.[at.output];
    return value !== undefined && lowering.readsOf(value).has(whole);
  };
  for (const other of waiting) if (other.inputs.some(reads)) return false;
  if (node.inputs.filter(reads).length > 1) return false;
  // Values still inline that are written back at the end must be computed from the old value now.
  for (const { value } of request.assigned) {
    const v = lowering.values.get(value.node)?.[value.output];
    if (v && !v.buf && lowering.readsOf(v).has(whole)) lowering.materialize(v);
  }
  return true;
}

/** Stores the variables' new values over the old ones, when all reads of the old ones have been recorded. */
function writeBack(
  request: BuildRequest,
  lowering: Lowering,
  external: (storage: MemoryStorage) => Buf,
): void {
  const targets = request.assigned.map(({ value, storage }) => ({
    value: lowering.valueOf(value),
    buf: external(storage),
  }));
  const overwritten = new Set(targets.map((t) => t.buf));
  for (const { value, buf } of targets) {
    if (value.buf === buf) continue;
    const reads = lowering.readsOf(value);
    const others = [...reads].some((r) => r !== buf && overwritten.has(r));
    if (others || (reads.has(buf) && !readsInPlace(value, buf))) {
      value.buf = lowering.copyOf(value);
    }
  }
  for (const { value, buf } of targets) {
    if (value.buf === buf) continue;
    lowering.store(value, buf);
  }
}

/** Every load of `buf` in the value is at the very position that is stored. */
function readsInPlace(value: Value, buf: Buf): boolean {
  if (value.buf) return false;
  let same = true;
  const kernel = mapKernel(value.shape, (at) => [
    { slot: buf, position: flat(at, value.shape), value: value.accessor!(at) },
  ]);
  const { index, value: stored } = kernel.outputs[0]!;
  visitAll([stored], (e) => {
    if (e.kind === "load" && wholeOf(e.slot as Buf) === buf && (e.slot !== buf || e.index !== index))
      same = false;
  });
  return same;
}
