/**
 * The expression language in plain JavaScript: integers are exact, f32 is computed in float64. The oracle of the
 * code generators' tests, and the meaning of every operator where a comment leaves a doubt.
 */
import type { DType, HostArray, ScalarType } from "../dtype.js";
import type { BinaryFn, Expr, Slot, UnaryFn } from "./expr.js";
import type { MapKernel } from "./map-kernel.js";
import { type Block, isLoop, type Loop, schedule } from "./schedule.js";

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

type Binary = (a: number, b: number) => number;

const comparisons: { readonly [fn in BinaryFn]?: Binary } = {
  lt: (a, b) => +(a < b),
  le: (a, b) => +(a <= b),
  gt: (a, b) => +(a > b),
  ge: (a, b) => +(a >= b),
  eq: (a, b) => +(a === b),
  ne: (a, b) => +(a !== b),
  min: Math.min,
  max: Math.max,
};

const floats: { readonly [fn in BinaryFn]?: Binary } = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
};

const integers: { readonly [fn in BinaryFn]?: Binary } = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: Math.imul,
  // A zero divisor gives the numerator, or the remainder 0, as WGSL has it.
  idiv: (a, b) => (b === 0 ? a : Math.trunc(a / b)),
  imod: (a, b) => (b === 0 ? 0 : a % b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
};

function binaryOf(fn: BinaryFn, type: ScalarType): Binary {
  const direct = comparisons[fn] ?? (type === "f32" ? floats[fn] : undefined);
  if (direct) return direct;
  const exact =
    fn === "shr"
      ? type === "u32"
        ? (a: number, b: number) => a >>> b
        : (a: number, b: number) => a >> b
      : integers[fn];
  if (type === "f32" || !exact) throw new Error(`internal: ${fn} has no meaning for ${type}`);
  if (type === "i32") return (a, b) => exact(a, b) | 0;
  return type === "u32" ? (a, b) => exact(a, b) >>> 0 : (a, b) => (exact(a, b) ? 1 : 0);
}

export const evaluateBinary = (fn: BinaryFn, type: ScalarType, a: number, b: number): number =>
  binaryOf(fn, type)(a, b);

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

/**
 * A map kernel made ready: computes the outputs at one position of the iteration space, counted row by row, and stores
 * them.
 */
export function evaluator(
  kernel: MapKernel,
  read: Loader,
  store: (output: number, index: number, value: number) => void,
): (position: number) => void {
  const { axes, outputs } = kernel;
  const plan = schedule(outputs.flatMap((o) => [o.index, o.value]));
  const registers = new Registers(read);
  const run = registers.block(plan.top);
  const places = outputs.map((o) => [registers.of(o.index), registers.of(o.value)] as const);
  const at = axes.map((axis) => registers.of(axis));
  const { values } = registers.ready();
  return (position) => {
    for (let k = axes.length - 1, rest = position; k >= 0; k--) {
      values[at[k]!] = rest % axes[k]!.extent;
      rest = Math.floor(rest / axes[k]!.extent);
    }
    run();
    places.forEach(([index, value], k) => {
      store(k, values[index]!, values[value]!);
    });
  };
}

/** Runs a map kernel over its whole iteration space, storing through `store` element after element. */
export function evaluateMap(
  kernel: MapKernel,
  read: Loader,
  store: (output: number, index: number, value: number) => void,
): void {
  const total = kernel.axes.reduce((n, a) => n * a.extent, 1);
  const at = evaluator(kernel, read, store);
  for (let position = 0; position < total; position++) at(position);
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

type Step = () => void;

/** A place for the value of every expression, and the expressions as functions over the places. */
class Registers {
  values = new Float64Array(16);
  private readonly places = new Map<Expr, number>();
  private readonly constants: (readonly [place: number, value: number])[] = [];

  constructor(private readonly read: Loader) {}

  of(e: Expr): number {
    let place = this.places.get(e);
    if (place === undefined) {
      place = this.places.size;
      this.places.set(e, place);
      if (e.kind === "const") this.constants.push([place, e.value]);
    }
    return place;
  }

  /** Call once every expression has its place, and before anything runs. */
  ready(): this {
    this.values = new Float64Array(this.places.size);
    for (const [place, value] of this.constants) this.values[place] = value;
    return this;
  }

  block(block: Block): Step {
    const steps = block.steps.map((step) => (isLoop(step) ? this.loop(step) : this.step(step)));
    return () => {
      for (let i = 0; i < steps.length; i++) steps[i]!();
    };
  }

  private loop({ fold, body }: Loop): Step {
    const places = (of: readonly Expr[]): number[] => of.map((e) => this.of(e));
    const [init, states, next] = [places(fold.init), places(fold.states), places(fold.next)];
    const index = this.of(fold.index);
    const run = this.block(body);
    const { extent } = fold.index;
    const taken = new Float64Array(states.length);
    // All are read before any is written: a state may become another one.
    const take = (from: readonly number[]): void => {
      const v = this.values;
      for (let k = 0; k < from.length; k++) taken[k] = v[from[k]!]!;
      for (let k = 0; k < from.length; k++) v[states[k]!] = taken[k]!;
    };
    return () => {
      take(init);
      for (let i = 0; i < extent; i++) {
        this.values[index] = i;
        run();
        take(next);
      }
    };
  }

  private step(e: Expr): Step {
    const to = this.of(e);
    switch (e.kind) {
      case "affine": {
        const terms = e.terms.map(([t]) => this.of(t));
        const factors = e.terms.map(([, factor]) => factor);
        return () => {
          const v = this.values;
          let sum = e.offset;
          for (let k = 0; k < terms.length; k++) sum = (sum + Math.imul(v[terms[k]!]!, factors[k]!)) | 0;
          v[to] = sum | 0;
        };
      }
      case "load": {
        const { slot } = e;
        const index = this.of(e.index);
        return () => {
          this.values[to] = this.read(slot, this.values[index]!);
        };
      }
      case "unary": {
        const x = this.of(e.x);
        return () => {
          this.values[to] = evaluateUnary(e.fn, e.type, this.values[x]!);
        };
      }
      case "binary": {
        const [a, b, compute] = [this.of(e.a), this.of(e.b), binaryOf(e.fn, e.a.type)];
        return () => {
          this.values[to] = compute(this.values[a]!, this.values[b]!);
        };
      }
      case "select": {
        const [cond, a, b] = [this.of(e.cond), this.of(e.a), this.of(e.b)];
        return () => {
          this.values[to] = this.values[this.values[cond] ? a : b]!;
        };
      }
      case "cast":
      case "bitcast": {
        const x = this.of(e.x);
        const evaluate = e.kind === "cast" ? evaluateCast : evaluateBitcast;
        return () => {
          this.values[to] = evaluate(e.x.type, e.type, this.values[x]!);
        };
      }
      case "foldResult": {
        const state = this.of(e.fold.states[e.k]!);
        return () => {
          this.values[to] = this.values[state]!;
        };
      }
      default:
        throw new Error(`internal: ${e.kind} is not computed`);
    }
  }
}
