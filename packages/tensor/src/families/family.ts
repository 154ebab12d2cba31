/**
 * One kernel family, one place: its parameters, the buffers of a call, what it means (as expressions), its operations and
 * the samples that it is tested and measured with are one object. Generators of both backends, the tuner's oracle, the
 * lowering tests and the benches read it; a family without a generator runs as the expressions that it means.
 */
import type { DType, HostArray } from "../dtype.js";
import { DawnstrapError } from "../errors.js";
import * as x from "../expr/expr.js";
import type { Expr, Slot } from "../expr/expr.js";
import type { Binding, FamilyKernel, KernelSpec, MapKernel } from "../program.js";
import { numel, type Shape, show } from "../shape.js";

interface Kinds {
  readonly number: number;
  readonly boolean: boolean;
  readonly numbers: readonly number[];
}
/** The kind of each parameter. */
export type ParamKinds = Readonly<Record<string, keyof Kinds>>;
/** Parameters of these kinds. They are plain JSON: the cache key of a kernel. */
export type ParamsOf<S extends ParamKinds> = { readonly [K in keyof S]: Kinds[S[K]] };

/** A buffer of a call. */
export interface Operand {
  readonly shape: Shape;
  /** Default float32. */
  readonly dtype?: DType;
}

export interface Operands {
  readonly reads: readonly Operand[];
  readonly out: Operand;
}

/** The element of an operand at a multi-index. Outside of the operand's shape it has no meaning, and must not matter. */
export type Elements = (at: readonly Expr[]) => Expr;

export interface Samples<P> {
  /** Small, and odd in every way: what the tests run, and what the tuner's generator hash is made of. */
  readonly awkward: readonly P[];
  /** As networks ask for them: what the benches measure. */
  readonly usual: readonly P[];
}

// biome-ignore lint/suspicious/noExplicitAny: the registry holds families of every parameter type
export interface Family<P = any> {
  readonly name: string;
  readonly params: ParamKinds;
  /** Shapes and dtypes of the buffers that a call reads, and of the one that it computes. */
  operands(params: P): Operands;
  /**
   * What the family means: the element of the result at a multi-index. `operands` are those that are read, then, where
   * the family updates, the result as it was before.
   */
  plain(params: P, at: readonly Expr[], operands: readonly Elements[]): Expr;
  /** Floating-point operations that the definition counts; kernels may do with fewer. */
  flops(params: P): number;
  readonly samples: Samples<P>;
  /** The result adds to what stands in its buffer. */
  readonly updates?: boolean;
  /** Where the first axis of the result holds shares of a sum: how many. How a kernel deals the terms out to them is its own affair. */
  shares?(params: P): number;
  /** Data for a sample, in binding order, for families whose operands are not free. */
  inputs?(params: P): readonly HostArray[];
  /** What is wrong with the data that a call reads, where not every content has a meaning. */
  refuses?(params: P, reads: readonly ArrayLike<number>[]): string | undefined;
}

const registry = new Map<string, Family>();

/** Every family, by name. */
export const families: ReadonlyMap<string, Family> = registry;

/**
 * Registers a kernel family. `params` names each parameter with its kind (`"number"`, `"boolean"`, `"numbers"`); the
 * other fields get them typed. Ops launch it by `LowerBuilder.call`.
 *
 * @throws DawnstrapError when another family has the name
 *
 * @example
 * ```ts
 * import { defineFamily, expr } from "@dawnstrap/tensor/extend";
 *
 * // y[i] = Σ_j x[i + j] over windows of a line
 * export const movingSum = defineFamily({
 *   name: "movingSum",
 *   params: { length: "number", window: "number" },
 *   operands: ({ length, window }) => ({ reads: [{ shape: [length] }], out: { shape: [length - window + 1] } }),
 *   plain: ({ window }, [i], [x]) =>
 *     expr.fold(window, [expr.f32(0)], (j, [sum]) => [expr.add(sum!, x!([expr.add(i!, j)]))])[0]!,
 *   flops: ({ length, window }) => (length - window + 1) * window,
 *   samples: { awkward: [{ length: 5, window: 5 }], usual: [{ length: 1_000_000, window: 9 }] },
 * });
 * ```
 */
export function defineFamily<const S extends ParamKinds>(
  def: Family<ParamsOf<NoInfer<S>>> & { readonly params: S },
): Family<ParamsOf<S>> {
  if (def.name === "map" || registry.has(def.name))
    throw new DawnstrapError(`kernel family ${def.name} is defined twice (choose another name)`);
  registry.set(def.name, def);
  return def;
}

/** The family of a kernel; undefined for map kernels. */
export function familyOf(spec: KernelSpec): Family | undefined {
  if (isMap(spec)) return undefined;
  const family = registry.get(spec.family);
  if (!family) throw new Error(`internal: there is no kernel family "${spec.family}"`);
  return family;
}

export const isMap = (spec: KernelSpec): spec is MapKernel => spec.family === "map";

const isKind: Readonly<Record<keyof Kinds, (value: unknown) => boolean>> = {
  number: (value) => typeof value === "number" && Number.isFinite(value),
  boolean: (value) => typeof value === "boolean",
  numbers: (value) => Array.isArray(value) && value.every(Number.isFinite),
};

/** A kernel of the family. Of `params` it takes what the family names, so that ops may pass their own. */
export function kernelOf<P>(family: Family<P>, params: P): FamilyKernel {
  const own = Object.entries(family.params).map(([name, kind]) => {
    const value = (params as Readonly<Record<string, unknown>>)[name];
    if (!isKind[kind](value))
      throw new DawnstrapError(
        `kernel family ${family.name}: ${name} is ${JSON.stringify(value)}, a ${kind} is wanted`,
      );
    return [name, value] as const;
  });
  return { family: family.name, params: Object.fromEntries(own) };
}

/** @throws DawnstrapError when a buffer has not the size or the dtype that the family says */
export function checkOperands(
  family: Family,
  { params }: FamilyKernel,
  buffers: readonly { readonly numel: number; readonly dtype: DType }[],
): void {
  const wanted = operandsOf(family, params);
  if (wanted.length !== buffers.length)
    throw new DawnstrapError(
      `kernel family ${family.name} takes ${wanted.length} buffers, the result among them; it is given ${buffers.length}`,
    );
  wanted.forEach(({ shape, dtype }, i) => {
    const given = buffers[i]!;
    if (given.numel !== numel(shape) || given.dtype !== dtype)
      throw new DawnstrapError(
        `kernel family ${family.name}: buffer ${i} holds ${given.numel} elements of ${given.dtype}; ${show(shape)} of ${dtype} is wanted`,
      );
  });
}

const operandsOf = (family: Family, params: unknown): (Operand & { readonly dtype: DType })[] => {
  const { reads, out } = family.operands(params);
  return [...reads, out].map(({ shape, dtype = "float32" }) => ({ shape, dtype }));
};

/** Of slots that are no buffer of a program: equal expressions are one, and slots are told apart by their numbers. */
let slots = 0;

/** Bindings of a call, as a backend sees them. */
export function bindingsOf(family: Family, params: unknown): Binding[] {
  const bytes: Readonly<Record<DType, number>> = { float32: 4, int32: 4, uint32: 4, uint8: 1, bool: 4 };
  return operandsOf(family, params).map(({ dtype, shape }, i, { length }) => ({
    dtype,
    access: i < length - 1 ? "read" : family.updates ? "update" : "write",
    bytes: numel(shape) * bytes[dtype],
  }));
}

/** The kernel that a family's definition is: one expression per element of the result. */
export function plainKernel<P>(family: Family<P>, params: P): MapKernel {
  const operands = operandsOf(family, params).map(({ shape, dtype }) => {
    const slot: Slot = { id: --slots, dtype };
    const elements: Elements = (at) => x.load(slot, x.flatten(at, shape));
    return { slot, shape, elements };
  });
  const reads = operands.slice(0, -1);
  const { slot, shape } = operands.at(-1)!;
  const axes = shape.map((extent) => x.index(extent));
  const at = axes.map((axis) => (axis.extent === 1 ? x.i32(0) : axis));
  return {
    family: "map",
    axes: axes.filter((axis) => axis.extent !== 1),
    reads: reads.map((o) => o.slot),
    outputs: [
      {
        slot,
        index: x.flatten(at, shape),
        value: family.plain(
          params,
          at,
          (family.updates ? operands : reads).map((o) => o.elements),
        ),
      },
    ],
  };
}

/** Σ over nested loops, the last one innermost. */
export function sumOver(extents: readonly number[], term: (at: readonly Expr[]) => Expr): Expr {
  const nest = (at: readonly Expr[], start: Expr): Expr => {
    if (at.length === extents.length) return x.add(start, term(at));
    return x.fold(extents[at.length]!, [start], (i, [s]) => [nest([...at, i], s!)])[0]!;
  };
  return nest([], x.f32(0));
}
