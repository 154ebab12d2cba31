/** State dicts: a module's parameters and buffers by name, on the host, in our layout or in PyTorch's. */
import { DawnstrapError } from "@dawnstrap/tensor";
import { Buffer, type Module, type Parameter, walk } from "../module.js";
import type { ParamArena } from "../arena.js";
import { fromPyTorch, toPyTorch, type Leaf, pytorchLeaves } from "./pytorch.js";
import { assignVariable, type HostTensor, readVariable, stored } from "../host-tensor.js";

export type StateDict = Map<string, HostTensor>;

export interface StateDictOptions {
  /**
   * "native": our names and layouts. "pytorch": `running_mean`, `running_var`, `num_batches_tracked`;
   * convolutions [out, in, kh, kw], linear layers [out, in]: what torchvision's ResNets load. Default
   * "native".
   */
  readonly layout?: "native" | "pytorch";
}

export interface LoadOptions extends StateDictOptions {
  /**
   * Refuse missing and unexpected names (default); else they are returned. Wrong shapes are always refused.
   */
  readonly strict?: boolean;
}

/** Reads all parameters and buffers of a module. */
export async function stateDict(
  module: Module,
  { layout = "native" }: StateDictOptions = {},
): Promise<StateDict> {
  const leaves = [...walk(module)];
  // Each arena is read once, not once per parameter.
  const arenas = new Map<ParamArena, Promise<Float32Array>>();
  const read = async (leaf: Parameter | Buffer): Promise<HostTensor> => {
    if (leaf instanceof Buffer) return readVariable(leaf.variable);
    const { arena } = leaf;
    if (!arena)
      throw new DawnstrapError(`stateDict: ${leaf.name || "a parameter"} has no value yet; call init first`);
    if (!arenas.has(arena)) arenas.set(arena, arena.flat.value.data() as Promise<Float32Array>);
    const { offset, size, shape } = arena.segments[leaf.index]!;
    return { dtype: "float32", shape, data: (await arenas.get(arena)!).slice(offset, offset + size) };
  };
  const values = await Promise.all(leaves.map(([, leaf]) => read(leaf)));
  const native = new Map(leaves.map(([name], i) => [name, values[i]!]));
  return layout === "native" ? native : toPyTorch(leaves, native);
}

export interface LoadReport {
  /** Names the module has and the dict has not. */
  readonly missing: string[];
  /** Names the dict has and the module has not. */
  readonly unexpected: string[];
}

/**
 * Gives a module the values of a state dict.
 *
 * @throws DawnstrapError listing every missing, unexpected and mis-shaped name with its shape; nothing is changed then
 */
export function loadStateDict(
  module: Module,
  dict: ReadonlyMap<string, HostTensor>,
  options: LoadOptions = {},
): LoadReport {
  const { layout = "native", strict = true } = options;
  const leaves = [...walk(module)];
  const expected: Leaf[] =
    layout === "native" ? leaves.map(([name, leaf]) => ({ name, shape: leaf.shape })) : pytorchLeaves(leaves);
  const names = new Set(expected.map((e) => e.name));
  const missing = expected.filter((e) => !e.optional && !dict.has(e.name));
  const unexpected = [...dict]
    .filter(([name]) => !names.has(name))
    .map(([name, { shape }]) => ({ name, shape }));
  const misshaped = expected.flatMap(({ name, shape }) => {
    const got = dict.get(name);
    return got && got.shape.join() !== shape.join()
      ? [`${name} is [${got.shape.join(", ")}], the module has [${shape.join(", ")}]`]
      : [];
  });
  const listed = (all: readonly { name: string; shape: readonly number[] }[]): string =>
    all.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ");
  const problems = [
    ...(strict && missing.length ? [`missing: ${listed(missing)}`] : []),
    ...(strict && unexpected.length ? [`unexpected: ${listed(unexpected)}`] : []),
    ...(misshaped.length ? [`wrong shape: ${misshaped.join("; ")}`] : []),
  ];
  if (problems.length)
    throw new DawnstrapError(
      `loadStateDict: the state dict does not fit the module (${layout} layout)\n  ${problems.join("\n  ")}`,
    );

  assign(leaves, layout === "native" ? dict : fromPyTorch(leaves, dict));
  return { missing: missing.map(({ name }) => name), unexpected: unexpected.map(({ name }) => name) };
}

function assign(
  leaves: readonly [string, Parameter | Buffer][],
  values: ReadonlyMap<string, HostTensor>,
): void {
  // All are looked at before any is given.
  for (const [name, leaf] of leaves) {
    const got = values.get(name)?.dtype;
    const wanted = stored(leaf instanceof Buffer ? leaf.dtype : "float32");
    if (got && got !== wanted)
      throw new DawnstrapError(`loadStateDict: ${name} is ${got}, ${wanted} is wanted`);
  }
  const perArena = new Map<ParamArena, Map<number, HostTensor>>();
  for (const [name, leaf] of leaves) {
    const value = values.get(name);
    if (!value) continue;
    if (leaf instanceof Buffer) {
      assignVariable(leaf.variable, value);
      continue;
    }
    const { arena } = leaf;
    if (!arena)
      throw new DawnstrapError(`loadStateDict: ${name} has no place yet; call init on the module first`);
    if (!perArena.has(arena)) perArena.set(arena, new Map());
    perArena.get(arena)!.set(leaf.index, value);
  }
  for (const [arena, of] of perArena)
    arena.assign(
      new Map([...of].map(([i, value]) => [i, arena.device.tensor(value.data as Float32Array, value.shape)])),
    );
}

/** Gives `to` the parameters and buffers of a module built alike, on the device. */
export function copyState(from: Module, to: Module): void {
  const [source, target] = [[...walk(from)], [...walk(to)]];
  const names = (list: typeof source): string =>
    list.map(([name, leaf]) => `${name} [${leaf.shape.join(", ")}]`).join("\n");
  if (names(source) !== names(target))
    throw new DawnstrapError(
      "copyState: the two modules differ in their parameters or buffers; build both alike",
    );
  to.arena.copyFrom(from.arena);
  target.forEach(([, leaf], i) => {
    if (leaf instanceof Buffer) leaf.assign((source[i]![1] as Buffer).value);
  });
}
