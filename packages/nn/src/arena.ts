/**
 * `ParamArena`: the parameters of a module as one flat array, so that an optimiser step is a few kernels, not
 * thousands.
 */
import {
  type Device,
  reshape,
  ShapeError,
  slice,
  StateError,
  type Tensor,
  type Variable,
} from "@dawnstrap/tensor";
import { packFlat } from "@dawnstrap/tensor/extend";
import type { HostTensor } from "./host-tensor.js";
import { type Initializer, streamOf } from "./init.js";

/**
 * What a parameter is to an optimiser: biases and norms (scale and offset) are usually neither decayed nor adapted.
 */
export type ParameterKind = "weight" | "bias" | "norm";

/** What an arena makes room for. */
export interface Resident {
  readonly name: string;
  readonly kind: ParameterKind;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  /** @internal Told where its value lives. */
  moveTo(arena: ParamArena, index: number): void;
}

/**
 * Parameters start at multiples of this many elements: 256 bytes, at which GPU buffers may be bound, so that
 * a parameter is a window on the arena and not a copy. It is also the granule of the optimisers' norms.
 */
export const BLOCK = 64;

/** Where a parameter stands in the arena. */
export interface Segment {
  readonly name: string;
  readonly kind: ParameterKind;
  readonly shape: readonly number[];
  /** First element, a multiple of BLOCK. */
  readonly offset: number;
  readonly size: number;
  /** Blocks that it takes; the tail of the last one is zeros. */
  readonly blocks: number;
}

/** Lays arrays out one after another, each from the next multiple of BLOCK on. */
export function layOut(of: readonly Pick<Resident, "name" | "kind" | "shape">[]): Segment[] {
  let offset = 0;
  return of.map(({ name, kind, shape }) => {
    const size = shape.reduce((n, d) => n * d, 1);
    const blocks = Math.ceil(size / BLOCK);
    const segment = { name, kind, shape, offset, size, blocks };
    offset += blocks * BLOCK;
    return segment;
  });
}

export class ParamArena {
  readonly segments: readonly Segment[];
  /** Elements in all, padding included. */
  readonly length: number;
  readonly flat: Variable;
  private views: (Tensor | undefined)[] = [];
  private viewsOf?: Tensor;

  /** Draws the first value of each parameter and moves it in. `Module.init` calls this. */
  constructor(
    readonly device: Device,
    readonly parameters: readonly Resident[],
    seed = 0,
  ) {
    this.segments = layOut(parameters);
    this.length = this.segments.reduce((n, s) => n + s.blocks * BLOCK, 0);
    const values = parameters.map((p) => p.initializer(device, p.shape, streamOf(seed, p.name)));
    this.flat = device.variable(this.pack(values), "parameters");
    parameters.forEach((p, i) => p.moveTo(this, i));
  }

  /** Value of one parameter: a view of the flat value, the same handle until that changes. */
  value(index: number): Tensor {
    const flat = this.flat.value;
    if (flat !== this.viewsOf) {
      this.views = [];
      this.viewsOf = flat;
    }
    const known = this.views[index];
    // A view that was computed by itself has become a copy; a captured step must not take the copy for the
    // parameter.
    if (known && !known.node.realized) return known;
    const { offset, size, shape } = this.segments[index]!;
    const view = reshape(slice(flat, [offset], [offset + size]), shape);
    this.views[index] = view;
    return view;
  }

  /** Values of all parameters, in order: what `valueAndGrad` is to differentiate by. */
  values(): Tensor[] {
    return this.segments.map((_, i) => this.value(i));
  }

  /** Lays tensors of the parameters' shapes (gradients, say) out as the arena is. */
  pack(tensors: readonly Tensor[]): Tensor {
    if (tensors.length !== this.segments.length)
      throw new ShapeError("pack", `${tensors.length} tensors for ${this.segments.length} parameters`);
    this.segments.forEach(({ name, shape }, i) => {
      if (tensors[i]!.shape.join() !== shape.join())
        throw new ShapeError(
          "pack",
          `${name} has shape [${shape.join(", ")}], the tensor for it [${tensors[i]!.shape.join(", ")}]`,
        );
    });
    return packFlat(
      tensors,
      this.segments.map((s) => s.offset),
      this.length,
    );
  }

  /** Gives some parameters (by position) new values, all at once. */
  assign(values: ReadonlyMap<number, Tensor>): void {
    this.flat.assign(this.pack(this.segments.map((_, i) => values.get(i) ?? this.value(i))));
  }

  /**
   * Reads an array laid out as the arena (its weights, or an optimiser's state) as arrays by parameter name.
   */
  async readAs(flat: Variable): Promise<Map<string, HostTensor>> {
    const data = (await flat.value.data()) as Float32Array;
    return new Map(
      this.segments.map(({ name, shape, offset, size }) => [
        name,
        { dtype: "float32", shape, data: data.slice(offset, offset + size) },
      ]),
    );
  }

  /**
   * Lays host arrays out as the arena is. Throws ShapeError naming the parameter whose array does not fit.
   */
  flatten(of: (name: string) => HostTensor): Float32Array {
    const flat = new Float32Array(this.length);
    for (const { name, shape, offset } of this.segments) {
      const value = of(name);
      if (!(value.data instanceof Float32Array))
        throw new ShapeError("flatten", `${name} is ${value.dtype}, not float32`);
      if (value.shape.join() !== shape.join())
        throw new ShapeError(
          "flatten",
          `${name} has shape [${shape.join(", ")}], the array for it [${value.shape.join(", ")}]`,
        );
      flat.set(value.data, offset);
    }
    return flat;
  }

  /** Takes over all values of an arena of the same layout. */
  copyFrom(other: ParamArena): void {
    checkSameLayout("copyFrom", this, other);
    this.flat.assign(other.flat.value);
  }
}

/** @throws StateError naming the first parameter that differs */
export function checkSameLayout(what: string, a: ParamArena, b: ParamArena): void {
  const show = (s?: Segment): string => (s ? `${s.name} [${s.shape.join(", ")}]` : "nothing");
  for (let i = 0; i < Math.max(a.segments.length, b.segments.length); i++)
    if (show(a.segments[i]) !== show(b.segments[i]))
      throw new StateError(
        `${what}: the two arenas differ at parameter ${i}: ${show(a.segments[i])} against ${show(b.segments[i])} ` +
          "(build both modules alike)",
      );
}
