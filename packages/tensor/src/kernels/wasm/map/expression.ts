/**
 * Map kernels in WebAssembly: one element of the iteration space per lane, four lanes at a time. This file writes the
 * loops; values.ts writes what stands inside.
 *
 * Sums and other folds run in the order they are written, inside one work unit, whatever the number of threads.
 */
import { storageBytes } from "../../../dtype.js";
import type { Index } from "../../../expr/expr.js";
import type { Binding, MapKernel } from "../../../program.js";
import { chooseLanes, Dependencies, farAxis } from "./analysis.js";
import { encodeModule, Func } from "../assembler/assembler.js";
import { END, runParams, START, type CompiledWasm, type WasmOptions } from "../kernel.js";
import { local, setMin, setSum } from "../assembler/loops.js";
import type { SlotInfo } from "./addresses.js";
import { op } from "../assembler/opcodes.js";
import { Scope, type Value } from "../assembler/scope.js";
import { ValueWriter } from "./values.js";

/** Instructions that a work unit should hold, so that finding its indices costs nothing beside it. */
const UNIT_WORK = 8192;
/** Measured on V8: about this many simple vector instructions end in a nanosecond. */
const PER_NANOSECOND = 6;
/** Lanes that are visited before the next position of an axis that shares their cache lines. */
const LANE_BLOCK = 32;

export function compileMap(
  kernel: MapKernel,
  bindings: readonly Binding[],
  options: WasmOptions,
): CompiledWasm {
  const slots = new Map<number, SlotInfo>();
  [...kernel.reads, ...kernel.outputs.map((o) => o.slot)].forEach((slot, i) => {
    const b = bindings[i]!;
    slots.set(slot.id, { binding: i, dtype: b.dtype, numel: Math.floor(b.bytes / storageBytes[b.dtype]) });
  });
  const writer = new LoopWriter(kernel, slots);
  const { units, unitCost } = writer.write();
  return { bytes: encodeModule({ run: writer.func }, options), units, unitCost, scratchBytes: 0 };
}

/** An axis that units cut: a unit walks `size` of its positions. */
interface Cut {
  readonly axis: Index;
  readonly size: number;
}

/** How the iteration space is divided: outer axes and cuts number the units, the inner axes are walked whole. */
interface Division {
  readonly outer: readonly Index[];
  readonly cuts: readonly Cut[];
  readonly inner: readonly Index[];
}

class LoopWriter {
  readonly func = new Func(runParams);
  private readonly deps = new Dependencies();
  private readonly plan: ReturnType<typeof chooseLanes>;
  private readonly lane: Index | undefined;
  private readonly values: ValueWriter;
  /** Locals with the bounds of the axes that units cut. */
  private readonly bounds = new Map<Index, { lo: number; hi: number }>();

  constructor(
    private readonly kernel: MapKernel,
    slots: ReadonlyMap<number, SlotInfo>,
  ) {
    for (const o of kernel.outputs) {
      this.deps.of(o.value);
      this.deps.of(o.index);
    }
    this.plan = chooseLanes(kernel, this.deps);
    this.lane = this.plan.vector ? this.plan.lane : undefined;
    const varying = this.lane ? this.plan.varying : 0n;
    this.values = new ValueWriter(this.func, this.deps, this.lane, varying, slots);
  }

  private divide(): Division {
    const { axes } = this.kernel;
    const { cost } = this.plan;
    const last = this.lane ?? axes.at(-1);
    if (!last) return { outer: [], cuts: [], inner: [] };
    const rest = axes.filter((a) => a !== last);
    const size = (work: number, step: number): number =>
      Math.max(step, Math.ceil(UNIT_WORK / work / step) * step);
    const far =
      this.lane && last.extent > LANE_BLOCK
        ? farAxis(this.kernel, this.deps, last, this.plan.varying)
        : undefined;
    if (far)
      return {
        outer: rest.filter((a) => a !== far),
        cuts: [
          { axis: far, size: size(cost * LANE_BLOCK, 16) },
          { axis: last, size: LANE_BLOCK },
        ],
        inner: [],
      };
    // The innermost axes make up a unit; the axis where that becomes enough work is cut.
    const order = [...rest, last];
    let at = order.length - 1;
    let block = 1;
    while (at > 0 && cost * block * order[at]!.extent < UNIT_WORK) block *= order[at--]!.extent;
    const step = at === order.length - 1 ? 16 : 1;
    return {
      outer: order.slice(0, at),
      cuts: [{ axis: order[at]!, size: size(cost * block, step) }],
      inner: order.slice(at + 1),
    };
  }

  /** Writes the whole function: units, then the loops inside a unit, then the body. */
  write(): { units: number; unitCost: number } {
    const { func } = this;
    const { outer, cuts, inner } = this.divide();
    const bits = outer.reduce((all, a) => all | this.deps.bit(a), 0n);
    const root = new Scope(undefined, 0n, 0);
    const body = new Scope(root, bits, 0);
    const [unit, rest] = [func.local(), func.local()];
    const c = body.code;
    c.get(unit).set(rest);
    /** Takes the next digit, of `n` values, off the unit's number. */
    const digit = (n: number): number => {
      const at = func.local();
      c.get(rest).i32(n).op(op.i32RemU).set(at).get(rest).i32(n).op(op.i32DivU).set(rest);
      return at;
    };
    let units = 1;
    for (const { axis, size } of cuts) {
      const pieces = Math.ceil(axis.extent / size);
      const [lo, hi] = [func.local(), func.local()];
      setSum(c, lo, 0, [local(digit(pieces)), size]);
      setSum(c, hi, size, [local(lo), 1]);
      setMin(c, hi, local(hi), axis.extent);
      this.bounds.set(axis, { lo, hi });
      units *= pieces;
    }
    for (const axis of [...outer].reverse()) {
      this.values.setIndex(axis, digit(axis.extent), body);
      units *= axis.extent;
    }
    const elements = this.kernel.axes.reduce((n, a) => n * a.extent, 1);
    if (elements) this.loops(body, [...cuts.map((k) => k.axis), ...inner]);

    func.code.get(START).get(END).op(op.i32GeU);
    func.code.if((code) => code.op(op.return));
    func.code.append(root.code).get(START).set(unit);
    func.code.loop((code) => {
      code.append(body.code).get(unit).i32(1).op(op.i32Add).tee(unit).get(END).op(op.i32LtU).brIf(0);
    });
    return elements
      ? { units, unitCost: (this.plan.cost * elements) / units / PER_NANOSECOND }
      : { units: 0, unitCost: 0 };
  }

  /** Loops over `axes`, outermost first; cut axes between their bounds, the others whole. */
  private loops(parent: Scope, axes: readonly Index[]): void {
    const [axis, ...rest] = axes;
    if (!axis) this.stores(parent);
    else if (axis === this.lane) this.laneLoop(parent, axis);
    else this.loop(parent, axis, rest);
  }

  private loop(parent: Scope, axis: Index, rest: readonly Index[]): void {
    const i = this.func.local();
    const scope = new Scope(parent, this.deps.bit(axis), parent.vectors);
    this.values.setIndex(axis, i, scope);
    this.loops(scope, rest);
    const bounds = this.bounds.get(axis);
    const c = parent.code;
    if (bounds) c.get(bounds.lo).set(i);
    else c.i32(0).set(i);
    c.loop((code) => {
      code.append(scope.code).get(i).i32(1).op(op.i32Add).tee(i);
      if (bounds) code.get(bounds.hi);
      else code.i32(axis.extent);
      code.op(op.i32LtU).brIf(0);
    });
  }

  /** The loop along the lanes: whole bundles of vectors, single vectors, then one element at a time. */
  private laneLoop(parent: Scope, axis: Index): void {
    const i = this.func.local();
    const end = this.func.local();
    const bounds = this.bounds.get(axis);
    const size = this.plan.size * (this.plan.folds ? 2 : 1);
    let bundle = size <= 16 ? 4 : size <= 48 ? 2 : 1;
    while (bundle > 1 && axis.extent < 4 * bundle) bundle /= 2;
    const c = parent.code;
    if (bounds) c.get(bounds.lo).set(i);
    else c.i32(0).set(i);
    for (const vectors of bundle > 1 ? [bundle, 1, 0] : [1, 0]) {
      const step = vectors ? 4 * vectors : 1;
      // Loops that no extent can enter are not written: all cuts are multiples of the largest bundle, 16 lanes.
      if (axis.extent % 4 === 0 && vectors === 0) continue;
      if (bundle > 1 && vectors === 1 && axis.extent % (4 * bundle) < 4) continue;
      const scope = new Scope(parent, this.deps.bit(axis), vectors, i);
      if (!vectors) this.values.setIndex(axis, i, scope);
      this.stores(scope);
      if (bounds)
        c.get(bounds.hi)
          .i32(step - 1)
          .op(op.i32Sub)
          .set(end);
      else c.i32(axis.extent - step + 1).set(end);
      c.block((outer) => {
        outer.get(i).get(end).op(op.i32GeS).brIf(0);
        outer.loop((code) => {
          code.append(scope.code).get(i).i32(step).op(op.i32Add).tee(i).get(end).op(op.i32LtS).brIf(0);
        });
      });
    }
  }

  /** The innermost body: all values, then all stores, so that an update in place reads before it writes. */
  private stores(s: Scope): void {
    const { outputs } = this.kernel;
    const values = outputs.map((o) => this.values.value(o.value, s));
    outputs.forEach((o, k) => {
      let v = values[k]!;
      if (s.vectors) v = { kind: "vector", at: this.values.lanes(v, o.value.type, s) };
      if (o.value.type === "bool") v = this.bits(v, s);
      this.values.stores.store(o.slot, o.index, v, s);
    });
  }

  /** Masks of lanes as the 0 and 1 that memory holds. */
  private bits(v: Value, s: Scope): Value {
    if (v.kind !== "vector") return v;
    const at = v.at.map((mask) => {
      const bit = this.func.local("v128");
      s.code.get(mask).v128([1, 1, 1, 1]).op(op.v128And).set(bit);
      return bit;
    });
    return { kind: "vector", at };
  }
}
