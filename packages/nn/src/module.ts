/**
 * `Module`: a tree of state. Parameters and buffers are found by walking it, and named by the path that leads to them.
 * `Layer`: a module that maps a tensor to a tensor.
 */
import {
  type Device,
  type DType,
  ShapeError,
  StateError,
  type Tensor,
  type Variable,
} from "@dawnstrap/tensor";
import { Described } from "@dawnstrap/tensor/extend";
import type { Initializer } from "./init.js";
import { ParamArena, type ParameterKind, type Resident } from "./arena.js";

/** A learnt float32 array. Its value lives in the flat arena of the module that was initialised. */
export class Parameter extends Described implements Resident {
  /** Path from the initialised module, such as `layer1.0.conv1.weight`; empty before. */
  name = "";
  /** Where the value lives; undefined before `init`. */
  private home?: { readonly arena: ParamArena; readonly index: number };

  constructor(
    readonly shape: readonly number[],
    readonly kind: ParameterKind,
    readonly initializer: Initializer,
  ) {
    super();
    if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0))
      throw new ShapeError("Parameter", `[${shape.join(", ")}] is no shape`, "sizes are whole numbers");
  }

  toString(): string {
    return `Parameter(${this.name || "uninitialised"}, [${this.shape.join(", ")}])`;
  }
  toJSON(): unknown {
    return { name: this.name, shape: this.shape };
  }

  get arena(): ParamArena | undefined {
    return this.home?.arena;
  }

  /** Position in the arena's `segments`. */
  get index(): number {
    return this.home?.index ?? -1;
  }

  /** The value now: the same handle until the next assignment, so that gradients find it. */
  get value(): Tensor {
    if (!this.home) throw uninitialised("parameter", this.name);
    return this.home.arena.value(this.home.index);
  }

  /** Gives the parameter a new value. To set many at once, `ParamArena.assign` is cheaper. */
  assign(value: Tensor): void {
    if (!this.home) throw uninitialised("parameter", this.name);
    this.home.arena.assign(new Map([[this.home.index, value]]));
  }

  /** @internal */
  moveTo(arena: ParamArena, index: number): void {
    this.home = { arena, index };
  }
}

/** An array that is part of a module's state but not learnt, such as running statistics. */
export class Buffer extends Described {
  name = "";
  private home?: Variable;

  constructor(
    readonly shape: readonly number[],
    /** Every element starts at this. */
    readonly fill: number,
    readonly dtype: DType = "float32",
  ) {
    super();
  }

  toString(): string {
    return `Buffer(${this.name || "uninitialised"}, ${this.dtype} [${this.shape.join(", ")}])`;
  }
  toJSON(): unknown {
    return { name: this.name, dtype: this.dtype, shape: this.shape };
  }

  /** Where the value lives. */
  get variable(): Variable {
    if (!this.home) throw uninitialised("buffer", this.name);
    return this.home;
  }

  get value(): Tensor {
    return this.variable.value;
  }

  assign(value: Tensor): void {
    this.variable.assign(value);
  }

  get initialised(): boolean {
    return this.home !== undefined;
  }

  /** @internal */
  create(device: Device, name: string): void {
    this.name = name;
    this.home = device.variable(device.full(this.shape, this.fill, this.dtype), name);
  }
}

const uninitialised = (what: string, name: string): StateError =>
  new StateError(
    `${what} ${name || "of a module"} has no value yet; first call init(device, { seed }) on the outermost module`,
  );

export interface ForwardOptions {
  /** Training mode: batch statistics in norms (and their running averages move), dropout on. */
  readonly train: boolean;
  /** Random key of this call, for layers that draw numbers: uint32 [2]. */
  readonly key?: Tensor;
}

export interface InitOptions {
  /** Whole number; each parameter draws from a stream of this seed and its own name. */
  readonly seed?: number;
}

/** A tree of parameters, buffers and other modules: every property that is one of these, or a list of them. */
export abstract class Module extends Described {
  /** Path from the module on which `init` was called; empty for that one itself. */
  name = "";

  toString(): string {
    const parameters = this.parameters();
    const elements = parameters.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
    return `${this.constructor.name}(${parameters.length} parameters, ${elements} elements)`;
  }
  toJSON(): unknown {
    return { module: this.constructor.name, parameters: this.parameters() };
  }

  /**
   * Makes every parameter and buffer below, laid out in one arena. A parameter's first value depends on the
   * seed and its name only: adding a layer changes no other's.
   *
   * @throws StateError when something below was initialised before
   */
  init(device: Device, { seed = 0 }: InitOptions = {}): this {
    const entries = [...walk(this)];
    for (const [path, leaf] of entries)
      if (leaf instanceof Parameter ? leaf.arena : leaf.initialised)
        throw new StateError(`init: ${path} has a value already (initialise the outermost module, once)`);
    for (const [path, module] of modules(this)) module.name = path;
    const parameters: Parameter[] = [];
    for (const [path, leaf] of entries) {
      leaf.name = path;
      if (leaf instanceof Parameter) parameters.push(leaf);
      else leaf.create(device, path);
    }
    if (parameters.length) new ParamArena(device, parameters, seed);
    return this;
  }

  /** Every parameter below, in the order of declaration. */
  parameters(): Parameter[] {
    return [...this.namedParameters().values()];
  }

  /** Every buffer below, in the order of declaration. */
  buffers(): Buffer[] {
    return [...this.namedBuffers().values()];
  }

  /** Parameters by their path from this module. */
  namedParameters(): Map<string, Parameter> {
    return new Map([...walk(this)].filter((e): e is [string, Parameter] => e[1] instanceof Parameter));
  }

  /** Buffers by their path from this module. */
  namedBuffers(): Map<string, Buffer> {
    return new Map([...walk(this)].filter((e): e is [string, Buffer] => e[1] instanceof Buffer));
  }

  /**
   * The arena that holds this module's parameters, and nothing else's.
   *
   * @throws StateError when the module is not initialised, or is a part of a larger one that was
   */
  get arena(): ParamArena {
    const parameters = this.parameters();
    const arena = parameters[0]?.arena;
    if (!arena) throw uninitialised("parameter", parameters[0]?.name ?? "");
    if (arena.parameters.length !== parameters.length || parameters.some((p) => p.arena !== arena))
      throw new StateError(
        `arena: the parameters of this module do not fill one arena (it holds ${arena.parameters.length}, ` +
          `the module has ${parameters.length}); optimise the module on which init was called`,
      );
    return arena;
  }
}

/** A module that maps a tensor to a tensor. */
export abstract class Layer extends Module {
  /** What the layer makes of `x`; a layer's own documentation says of which shapes. */
  abstract forward(x: Tensor, options: ForwardOptions): Tensor;
}

type Part = Module | Parameter | Buffer;

/**
 * Everything below a module with its path: properties in the order they were set, lists by position, each
 * object once.
 */
function* parts(root: Module): Generator<[string, Part]> {
  const seen = new Set<object>();
  function* visit(value: unknown, path: string): Generator<[string, Part]> {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    const isPart = value instanceof Module || value instanceof Parameter || value instanceof Buffer;
    if (!isPart && !Array.isArray(value)) return;
    seen.add(value);
    if (isPart) yield [path, value];
    if (value instanceof Parameter || value instanceof Buffer) return;
    for (const [key, child] of Object.entries(value)) yield* visit(child, path ? `${path}.${key}` : key);
  }
  yield* visit(root, "");
}

/** Parameters and buffers with their paths. */
export function* walk(root: Module): Generator<[string, Parameter | Buffer]> {
  for (const [path, part] of parts(root)) if (!(part instanceof Module)) yield [path, part];
}

function* modules(root: Module): Generator<[string, Module]> {
  for (const [path, part] of parts(root)) if (part instanceof Module) yield [path, part];
}
