/**
 * The expression language in plain JavaScript: integers are exact, f32 is computed in float64. The oracle of the
 * code generators' tests, and the meaning of every operator where a comment leaves a doubt.
 */
import type { DType, HostArray, ScalarType } from "../dtype.js";
import type { MapKernel } from "../program.js";
import type { BinaryFn, Expr, Slot, UnaryFn } from "./expr.js";
import { type Block, isLoop, schedule } from "./schedule.js";

const words = new DataView(new ArrayBuffer(4));

/** Rounds half to even. */
export function roundEven(x: number): number {
  const r = Math.round(x);
  return Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

export function evaluateUnary(fn: UnaryFn, type: ScalarType, x: number): number {
  switch (fn) {
    case "neg":
      return type === "f32" ? -x : wrap(-x, type);
    case "abs":
      return type === "f32" ? Math.abs(x) : wrap(Math.abs(x), type);
    case "floor":
      return Math.floor(x);
    case "ceil":
      return Math.ceil(x);
    case "round":
      return roundEven(x);
    case "trunc":
      return Math.trunc(x);
    case "sqrt":
      return Math.sqrt(x);
    case "not":
      return x ? 0 : 1;
    case "bitNot":
      return wrap(~x, type);
  }
}

export function evaluateBinary(fn: BinaryFn, type: ScalarType, a: number, b: number): number {
  switch (fn) {
    case "lt":
      return +(a < b);
    case "le":
      return +(a <= b);
    case "gt":
      return +(a > b);
    case "ge":
      return +(a >= b);
    case "eq":
      return +(a === b);
    case "ne":
      return +(a !== b);
    case "min":
      return Math.min(a, b);
    case "max":
      return Math.max(a, b);
    default:
  }
  if (type === "f32") {
    if (fn === "add") return a + b;
    if (fn === "sub") return a - b;
    if (fn === "mul") return a * b;
    if (fn === "div") return a / b;
    throw new Error(`internal: ${fn} has no meaning for f32`);
  }
  return wrap(evaluateInteger(fn, type, a, b), type);
}

function evaluateInteger(fn: BinaryFn, type: ScalarType, a: number, b: number): number {
  switch (fn) {
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return Math.imul(a, b);
    // A zero divisor gives the numerator, or the remainder 0, as WGSL has it.
    case "idiv":
      return b === 0 ? a : Math.trunc(a / b);
    case "imod":
      return b === 0 ? 0 : a % b;
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
    case "shl":
      return a << b;
    case "shr":
      return type === "u32" ? a >>> b : a >> b;
    default:
      throw new Error(`internal: ${fn} has no meaning for ${type}`);
  }
}

const wrap = (x: number, type: ScalarType): number =>
  type === "u32" ? x >>> 0 : type === "i32" ? x | 0 : x ? 1 : 0;

export function evaluateCast(from: ScalarType, to: ScalarType, x: number): number {
  if (to === "bool") return x !== 0 ? 1 : 0;
  if (to === "f32" || from === "bool") return x;
  if (from !== "f32") return wrap(x, to);
  const [lo, hi] = to === "i32" ? [-2147483648, 2147483647] : [0, 4294967295];
  return Number.isNaN(x) ? 0 : Math.min(hi, Math.max(lo, Math.trunc(x)));
}

export function evaluateBitcast(from: ScalarType, to: ScalarType, x: number): number {
  if (from === "f32") words.setFloat32(0, x);
  else words.setUint32(0, x);
  return to === "f32" ? words.getFloat32(0) : to === "i32" ? words.getInt32(0) : words.getUint32(0);
}

/** Reads element `index` of a slot; an index out of range gives an element nobody should use. */
export type Loader = (slot: Slot, index: number) => number;

/** Runs a map kernel over its whole iteration space, storing through `store` element after element. */
export function evaluateMap(
  kernel: MapKernel,
  read: Loader,
  store: (output: number, index: number, value: number) => void,
): void {
  const { axes, outputs } = kernel;
  const plan = schedule(outputs.flatMap((o) => [o.index, o.value]));
  const values = new Map<Expr, number>();
  const at = axes.map(() => 0);
  const total = axes.reduce((n, a) => n * a.extent, 1);
  for (let flat = 0; flat < total; flat++) {
    for (let k = axes.length - 1, rest = flat; k >= 0; k--) {
      at[k] = rest % axes[k]!.extent;
      rest = Math.floor(rest / axes[k]!.extent);
      values.set(axes[k]!, at[k]!);
    }
    run(plan.top, values, read);
    outputs.forEach((o, k) => {
      store(k, numberOf(o.index, values), numberOf(o.value, values));
    });
  }
}

/** As `evaluateMap`, over host arrays that are read and written in place. */
export function evaluateMapOn(kernel: MapKernel, arrays: ReadonlyMap<Slot, HostArray>): void {
  const find = (slot: Slot): HostArray => {
    const array = arrays.get(slot);
    if (!array) throw new Error(`internal: no array for slot ${slot.id}`);
    return array;
  };
  evaluateMap(
    kernel,
    (slot, index) => {
      const array = find(slot);
      return array[Math.min(array.length - 1, Math.max(0, index))]!;
    },
    (k, index, value) => {
      const { slot } = kernel.outputs[k]!;
      find(slot)[index] = stored(value, slot.dtype);
    },
  );
}

const stored = (value: number, dtype: DType): number => (dtype === "uint8" ? value & 255 : value);

const numberOf = (e: Expr, values: ReadonlyMap<Expr, number>): number =>
  e.kind === "const" ? e.value : values.get(e)!;

function run(block: Block, values: Map<Expr, number>, read: Loader): void {
  const get = (e: Expr): number => numberOf(e, values);
  for (const step of block.steps) {
    if (!isLoop(step)) {
      values.set(step, compute(step, get, read));
      continue;
    }
    const { fold, body } = step;
    let state = fold.init.map(get);
    for (let i = 0; i < fold.index.extent; i++) {
      values.set(fold.index, i);
      state.forEach((v, k) => {
        values.set(fold.states[k]!, v);
      });
      run(body, values, read);
      state = fold.next.map(get);
    }
    state.forEach((v, k) => {
      values.set(fold.states[k]!, v);
    });
  }
}

function compute(e: Expr, get: (e: Expr) => number, read: Loader): number {
  switch (e.kind) {
    case "affine":
      return e.terms.reduce((sum, [t, c]) => (sum + Math.imul(get(t), c)) | 0, e.offset) | 0;
    case "load":
      return read(e.slot, get(e.index));
    case "unary":
      return evaluateUnary(e.fn, e.type, get(e.x));
    case "binary":
      return evaluateBinary(e.fn, e.a.type, get(e.a), get(e.b));
    case "select":
      return get(e.cond) ? get(e.a) : get(e.b);
    case "cast":
      return evaluateCast(e.x.type, e.type, get(e.x));
    case "bitcast":
      return evaluateBitcast(e.x.type, e.type, get(e.x));
    case "foldResult":
      return get(e.fold.states[e.k]!);
    default:
      throw new Error(`internal: ${e.kind} is not computed`);
  }
}
