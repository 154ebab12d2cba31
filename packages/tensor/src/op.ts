/**
 * One op, one place: an op's shape rule, float64 reference, lowering, derivative and test samples are one object.
 * `defineOp` registers it, and conformance, gradient, property and documentation tests find it in the registry.
 */
import type { DType } from "./dtype.js";
import type { Accessor, Aval, GraphOp, LowerBuilder, NdArray, Source } from "./graph-op.js";
import type { Tensor } from "./tensor.js";

export type { Accessor, Aval, GraphOp, LowerBuilder, NdArray, Source };

export interface VjpArgs<P> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Cotangent of each output; undefined where no gradient flows. */
  readonly grads: readonly (Tensor | undefined)[];
  readonly params: P;
  /** Which inputs a gradient is asked of; others may be left undefined. */
  readonly needs: readonly boolean[];
}

/** Cotangents of the inputs, written with ops, so that gradients of gradients come for free. */
export type Vjp<P> = (args: VjpArgs<P>) => readonly (Tensor | undefined)[];

export interface Nondifferentiable {
  readonly nondifferentiable: string;
}
/** Says why an op has no derivative. */
export const nondifferentiable = (reason: string): Nondifferentiable => ({ nondifferentiable: reason });

/** Draws of a property-based test; implemented over fast-check, so failures shrink and replay. */
export interface Sampler {
  int(lo: number, hi: number): number;
  pick<T>(items: readonly T[]): T;
  bool(): boolean;
  /** An awkward shape: extents of 1, odd ones, tile ± 1. `rank` is a range; `max` bounds the number of elements (default 600). */
  shape(options?: { rank?: readonly [number, number]; max?: number }): number[];
}

/** Values to draw for one input of a sample. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype?: DType;
  /** Uniform in [lo, hi] (integers for integer types, both ends included). Default [−2, 2]. */
  readonly range?: readonly [number, number];
  /** Keep float values at least 0.05 away from these, where the derivative jumps. */
  readonly avoid?: readonly number[];
  /** All values differ by at least 0.01 of the range: for max, sort and the like. */
  readonly distinct?: boolean;
}

export interface Sample<P> {
  readonly inputs: readonly TensorSpec[];
  readonly params: P;
}

// biome-ignore lint/suspicious/noExplicitAny: the registry holds ops of every parameter type
export interface OpDef<P = any> extends GraphOp<P> {
  readonly vjp: Vjp<P> | Nondifferentiable;
  /** An example for the tests; `sampler` decides every choice. */
  sample(sampler: Sampler): Sample<P>;
  /** Relative tolerance of float32 devices against the reference, where the default 1e-5 is too tight; with the reason beside it. */
  readonly tolerance?: number;
}

const defined = new Map<string, OpDef>();

/**
 * Registers an op. Its record holds all that is known of it; the public function that records it ends in `apply1`.
 *
 * @throws Error where an op of that name is there already
 * @example
 * ```ts
 * import { openDevice } from "@dawnstrap/tensor";
 * import { apply1, defineOp, expr } from "@dawnstrap/tensor/extend";
 *
 * const cube = defineOp<undefined>({
 *   name: "cube",
 *   infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
 *   reference: ([x]) => [{ ...x!, data: x!.data.map((v) => v ** 3) }],
 *   lower: (_, [x]) => (at) => expr.mul(x!.at(at), expr.mul(x!.at(at), x!.at(at))),
 *   vjp: ({ inputs: [x], grads: [g] }) => [g && x!.mul(x!).mul(3).mul(g)],
 *   sample: (sampler) => ({ inputs: [{ shape: sampler.shape() }], params: undefined }),
 * });
 * const device = await openDevice("cpu");
 * console.log(await apply1(cube, [device.tensor([1, 2, 3])], undefined).data()); // 1, 8, 27
 * await device.destroy();
 * ```
 */
export function defineOp<P>(def: OpDef<P>): OpDef<P> {
  if (defined.has(def.name)) throw new Error(`internal: op ${def.name} is defined twice`);
  defined.set(def.name, def);
  return def;
}

/** Every op, by name. */
export const registry: ReadonlyMap<string, OpDef> = defined;

/** The whole definition of a recorded op: whatever is recorded came from `defineOp`. */
export const definitionOf = (op: GraphOp): OpDef => op as OpDef;
