/**
 * Lowering: nodes of the graph, in recording order, become calls of a program.
 *
 * Every value is an expression until someone needs it stored: an op that returns its last step as an expression is
 * written into its only consumer (fusion), and is stored ("materialised") when it has several consumers, when a
 * hand-written kernel wants a buffer, or when inlining would make a kernel too large.
 */
import { type DType, storageBytes } from "../dtype.js";
import { summarize } from "../expr/analyze.js";
import { affineParts, flatten, i32, index, load, type Expr, type Index } from "../expr/expr.js";
import { checkOperands, kernelOf } from "../families/family.js";
import type { Accessor, Aval, LowerBuilder, Source } from "../graph-op.js";
import { numel, stridesOf } from "../shape.js";
import { keyOf, mapKernel, type Store } from "./kernel.js";
import type { Node, NodeOutput } from "./node.js";
import type { Access, Buf, Call, DeviceLimits, KernelSpec } from "../program.js";

/** Beyond this many operations an inlined expression is stored, so that kernels stay of a size compilers like. */
const INLINE_WEIGHT = 400;
/** Recomputing an expression of at most this weight is about as cheap as loading it. */
const CHEAP_WEIGHT = 3;

/** What is known of a node's output while its program is built. */
export interface Value extends Aval {
  accessor?: Accessor;
  weight: number;
  /** Whole buffers that the accessor reads. */
  leaves: ReadonlySet<Buf>;
  buf?: Buf;
}

export const wholeOf = (buf: Buf): Buf => buf.of ?? buf;

export class Lowering {
  readonly calls: Call[] = [];
  readonly values = new Map<Node, Value[]>();
  /** Buffers chosen in advance for values that become part of a larger one (see OpDef.gathers). */
  readonly placed = new Map<Node, (Buf | undefined)[]>();
  private nextBuf = 0;

  constructor(
    readonly limits: DeviceLimits,
    /** Consumers of each node output within this program (results count as one). */
    readonly uses: (at: NodeOutput) => number,
  ) {}

  newBuf(dtype: DType, elements: number): Buf {
    return { id: this.nextBuf++, dtype, numel: elements, byteOffset: 0 };
  }

  window(buf: Buf, dtype: DType, elements: number, byteOffset: number): Buf {
    if (byteOffset === 0 && !buf.of && elements === buf.numel && dtype === buf.dtype) return buf;
    return {
      id: this.nextBuf++,
      dtype,
      numel: elements,
      of: wholeOf(buf),
      byteOffset: buf.byteOffset + byteOffset,
    };
  }

  valueOf(at: NodeOutput): Value {
    return this.values.get(at.node)![at.output]!;
  }

  /** A value that is already in a buffer: a leaf, or an external result. */
  setBuffer(node: Node, output: number, buf: Buf): void {
    const { shape, dtype } = node.outputs[output]!;
    const list = this.values.get(node) ?? [];
    list[output] = { shape, dtype, weight: 1, leaves: new Set([wholeOf(buf)]), buf };
    this.values.set(node, list);
  }

  /** Lowers one node whose inputs have been lowered. */
  lower(node: Node): void {
    const op = node.op!;
    const outs = node.outputs.map((aval) => ({ ...aval }));
    const bufs: Buf[] = [];
    const out = (k: number): Buf =>
      (bufs[k] ??= this.placed.get(node)?.[k] ?? this.newBuf(outs[k]!.dtype, numel(outs[k]!.shape)));
    const largest = Math.max(0, ...outs.map((o) => numel(o.shape)));
    const inputs = this.fit(
      node.inputs.map((at) => this.valueOf(at)),
      largest,
    );
    const builder = this.builder(out, (k, buf) => (bufs[k] = buf));
    const accessor = op.lower(builder, inputs, outs, node.params);
    if (!accessor) {
      outs.forEach((_, k) => this.setBuffer(node, k, out(k)));
      return;
    }
    const value = this.inlineValue(outs[0]!, memoized(accessor));
    this.values.set(node, [value]);
    const uses = this.uses({ node, output: 0 });
    if ((uses > 1 && value.weight > CHEAP_WEIGHT) || value.weight > INLINE_WEIGHT)
      this.materialize(value, this.placed.get(node)?.[0]);
    else if (this.placed.get(node)?.[0]) this.materialize(value, this.placed.get(node)![0]);
  }

  /** Whole buffers that a value reads when it is evaluated now (stored since, or not). */
  readsOf(value: Value): ReadonlySet<Buf> {
    if (value.buf) return new Set([wholeOf(value.buf)]);
    if (numel(value.shape) === 0) return new Set();
    const { slots } = summarize([value.accessor!(symbolic(value.shape))]);
    return new Set([...slots].map((s) => wholeOf(s as Buf)));
  }

  private inlineValue(aval: Aval, accessor: Accessor): Value {
    if (numel(aval.shape) === 0) return { ...aval, accessor, weight: 0, leaves: new Set() };
    const { weight, slots } = summarize([accessor(symbolic(aval.shape))]);
    return { ...aval, accessor, weight, leaves: new Set([...slots].map((s) => wholeOf(s as Buf))) };
  }

  /** Stores inputs that would make the consumer recompute too much, or read too many buffers. */
  private fit(values: readonly Value[], consumerSize: number): Source[] {
    for (const v of values)
      if (!v.buf && v.weight > 8 * CHEAP_WEIGHT && consumerSize > 2 * numel(v.shape)) this.materialize(v);
    // Three bindings are left for the op's own buffers.
    const room = Math.max(1, this.limits.buffersPerKernel - 3);
    const leaves = (): number => new Set(values.flatMap((v) => [...v.leaves])).size;
    while (leaves() > room) {
      const widest = values.filter((v) => !v.buf).sort((a, b) => b.leaves.size - a.leaves.size)[0];
      if (!widest || widest.leaves.size < 2) break;
      this.materialize(widest);
    }
    return values.map((v) => this.source(v));
  }

  source(value: Value): Source {
    return {
      shape: value.shape,
      dtype: value.dtype,
      at: (at) => (value.buf ? load(value.buf, flatten(at, value.shape)) : value.accessor!(at)),
      cached: () => {
        if (!value.buf && value.weight > CHEAP_WEIGHT) this.materialize(value);
        return this.source(value);
      },
      buffer: () => this.buffer(value),
    };
  }

  /** The value as a contiguous buffer: its own, a window on another one where it only renames indices, or stored now. */
  buffer(value: Value): Buf {
    if (value.buf) return value.buf;
    const alias = this.aliasOf(value);
    if (alias) {
      value.buf = alias;
      return alias;
    }
    return this.materialize(value);
  }

  private aliasOf(value: Value): Buf | undefined {
    if (numel(value.shape) === 0) return undefined;
    const at = symbolic(value.shape);
    const e = value.accessor!(at);
    if (e.kind !== "load" || e.slot.dtype !== value.dtype) return undefined;
    const base = e.slot as Buf;
    const { terms, offset } = affineParts(e.index);
    const strides = stridesOf(value.shape);
    const wanted = at
      .map((axis, k) => [axis, strides[k]!] as const)
      .filter(([axis]) => axis.kind === "index");
    const moved = new Map<Expr, number>(terms);
    if (moved.size !== wanted.length || wanted.some(([axis, s]) => moved.get(axis) !== s)) return undefined;
    const bytes = offset * storageBytes[value.dtype];
    if (offset < 0 || (base.byteOffset + bytes) % this.limits.offsetAlignment !== 0) return undefined;
    return this.window(base, value.dtype, numel(value.shape), bytes);
  }

  /** Stores an inline value (in `into`, when it has a place already). */
  materialize(value: Value, into?: Buf): Buf {
    if (value.buf) return value.buf;
    const buf = into ?? this.newBuf(value.dtype, numel(value.shape));
    this.store(value, buf);
    value.buf = buf;
    value.weight = 1;
    value.leaves = new Set([wholeOf(buf)]);
    value.accessor = undefined;
    return buf;
  }

  /** Writes a value's elements into a buffer. */
  store(value: Value, into: Buf): void {
    const source = this.source(value);
    this.map(value.shape, (at) => [{ slot: into, position: flatten(at, value.shape), value: source.at(at) }]);
  }

  /** A fresh buffer with the value's elements. */
  copyOf(value: Value): Buf {
    const buf = this.newBuf(value.dtype, numel(value.shape));
    this.store(value, buf);
    return buf;
  }

  map(shape: readonly number[], body: (at: readonly Expr[]) => readonly Store[]): void {
    if (numel(shape) === 0) return;
    const kernel = mapKernel(shape, body);
    const loaded = new Set(summarize(kernel.outputs.map((o) => o.value)).slots);
    this.emit(keyOf(kernel), kernel, [
      ...kernel.reads.map((s) => ({ buf: s as Buf, access: "read" as Access })),
      ...kernel.outputs.map((o) => ({
        buf: o.slot as Buf,
        access: (loaded.has(o.slot) ? "update" : "write") as Access,
      })),
    ]);
  }

  emit(key: string, spec: KernelSpec, bindings: Call["bindings"]): void {
    this.calls.push({ key, spec, bindings });
  }

  private builder(out: (k: number) => Buf, setOut: (k: number, buf: Buf) => void): LowerBuilder {
    return {
      limits: this.limits,
      out,
      updated: (k, input) => {
        const from = input.buffer();
        if (this.mayOverwrite(k, from)) {
          setOut(k, from);
          return from;
        }
        const to = out(k);
        this.copy(from, to);
        return to;
      },
      temp: (dtype, shape) => this.newBuf(dtype, numel(shape)),
      view: (buf, shape) =>
        this.source({ shape, dtype: buf.dtype, weight: 1, leaves: new Set([wholeOf(buf)]), buf }),
      map: (outs, shape, body) =>
        this.map(shape, (at) => {
          const values = body(at);
          return outs.map((slot, k) => ({ slot, position: flatten(at, shape), value: values[k]! }));
        }),
      mapInto: (slot, shape, body) => this.map(shape, (at) => [{ slot, ...body(at) }]),
      place: (input, slot, offset) => this.place(input, slot, offset),
      call: (family, params, reads, out) => {
        if (out.numel === 0) return;
        const spec = kernelOf(family, params);
        checkOperands(family, spec, [...reads, out]);
        this.emit(`${spec.family}:${JSON.stringify(spec.params)}`, spec, [
          ...reads.map((buf) => ({ buf, access: "read" as Access })),
          { buf: out, access: family.updates ? "update" : "write" },
        ]);
      },
    };
  }

  /** Set by the planner while the op that may overwrite its input is lowered. */
  mayOverwrite: (output: number, buf: Buf) => boolean = () => false;

  private copy(from: Buf, to: Buf): void {
    this.map([from.numel], (at) => [{ slot: to, position: at[0]!, value: load(from, at[0]!) }]);
  }

  private place(input: Source, slot: Buf, offset: number): void {
    const size = numel(input.shape);
    if (size === 0) return;
    const window = this.window(slot, slot.dtype, size, offset * storageBytes[slot.dtype]);
    const buf = input.buffer();
    if (wholeOf(buf) === wholeOf(window) && buf.byteOffset === window.byteOffset) return;
    this.copy(buf, window);
  }
}

/** An index variable per axis; axes of extent 1 are the constant 0, as they are in kernels. */
function symbolic(shape: readonly number[]): (Index | Expr)[] {
  return shape.map((extent) => (extent === 1 ? i32(0) : index(extent)));
}

/** Evaluates an accessor once per distinct index, so that chains which use a value twice do not grow exponentially. */
function memoized(accessor: Accessor): Accessor {
  const known = new Map<string, Expr>();
  return (at) => {
    const key = at.map((e) => e.id).join();
    const e = known.get(key) ?? accessor(at);
    known.set(key, e);
    return e;
  };
}
