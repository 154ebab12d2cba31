/** Our names and layouts against PyTorch's. */
import { StartWeight } from "../layers/moving-statistics.js";
import { Buffer, type Parameter } from "../module.js";
import type { HostTensor } from "../host-tensor.js";

/** Where each axis of PyTorch's array comes from in ours; arrays of other ranks are alike. */
const torchAxes: Readonly<Record<number, readonly number[]>> = { 2: [1, 0], 4: [3, 2, 0, 1] };
const ourAxes: Readonly<Record<number, readonly number[]>> = { 2: [1, 0], 4: [2, 3, 1, 0] };

const bufferNames: Readonly<Record<string, string>> = {
  runningMean: "running_mean",
  runningVariance: "running_var",
};
const COUNTER = "num_batches_tracked";

/** What a state dict has to hold for one parameter or buffer. */
export interface Leaf {
  readonly name: string;
  readonly shape: readonly number[];
  readonly optional?: boolean;
}

type Leaves = readonly (readonly [string, Parameter | Buffer])[];

const lastOf = (path: string): string => path.slice(path.lastIndexOf(".") + 1);
const beside = (path: string, name: string): string => path.slice(0, path.lastIndexOf(".") + 1) + name;
const nameOf = (path: string, leaf: Parameter | Buffer): string =>
  leaf instanceof Buffer ? beside(path, bufferNames[lastOf(path)] ?? lastOf(path)) : path;
const isWeight = (leaf: Parameter | Buffer): boolean => !(leaf instanceof Buffer) && leaf.kind === "weight";
const permuted = (shape: readonly number[], axes?: readonly number[]): readonly number[] =>
  axes?.map((a) => shape[a]!) ?? shape;

/** A copy with the axes in another order. */
export function transpose({ dtype, shape, data }: HostTensor, axes?: readonly number[]): HostTensor {
  if (!axes) return { dtype, shape, data };
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((n, d) => n * d, 1));
  const [to, step] = [permuted(shape, axes), axes.map((a) => strides[a]!)];
  const out = new Float32Array(data.length);
  const at = to.map(() => 0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from] as number;
    for (let a = to.length - 1; a >= 0; a--) {
      from += step[a]!;
      if (++at[a]! < to[a]!) break;
      from -= step[a]! * to[a]!;
      at[a] = 0;
    }
  }
  return { dtype, shape: to, data: out };
}

/**
 * Names and shapes that PyTorch's state dict has for these; the batch counter may be absent, older files lack
 * it.
 */
export function pytorchLeaves(leaves: Leaves): Leaf[] {
  return leaves.flatMap(([path, leaf]): Leaf[] => {
    if (leaf instanceof StartWeight) return [];
    const shape = isWeight(leaf) ? permuted(leaf.shape, torchAxes[leaf.shape.length]) : leaf.shape;
    const counter =
      lastOf(path) === "runningVariance" ? [{ name: beside(path, COUNTER), shape: [], optional: true }] : [];
    return [{ name: nameOf(path, leaf), shape }, ...counter];
  });
}

/** PyTorch counts the batches of every norm; only debiased averages know the number here, others say 0. */
export function toPyTorch(leaves: Leaves, native: ReadonlyMap<string, HostTensor>): Map<string, HostTensor> {
  const starts = new Map(leaves.filter((l): l is [string, StartWeight] => l[1] instanceof StartWeight));
  const dict = new Map<string, HostTensor>();
  for (const [path, leaf] of leaves) {
    if (leaf instanceof StartWeight) continue;
    const value = native.get(path)!;
    dict.set(nameOf(path, leaf), isWeight(leaf) ? transpose(value, torchAxes[value.shape.length]) : value);
    if (lastOf(path) !== "runningVariance") continue;
    const start = beside(path, "startWeight");
    const batches = starts.get(start)?.batches(native.get(start)!.data[0] as number) ?? 0;
    dict.set(beside(path, COUNTER), { dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(batches)) });
  }
  return dict;
}

export function fromPyTorch(leaves: Leaves, dict: ReadonlyMap<string, HostTensor>): Map<string, HostTensor> {
  const native = new Map<string, HostTensor>();
  for (const [path, leaf] of leaves) {
    if (leaf instanceof StartWeight) {
      const count = dict.get(beside(path, COUNTER));
      if (count)
        native.set(path, { dtype: "float32", shape: leaf.shape, data: leaf.after(Number(count.data[0])) });
      continue;
    }
    const value = dict.get(nameOf(path, leaf));
    if (value) native.set(path, isWeight(leaf) ? transpose(value, ourAxes[value.shape.length]) : value);
  }
  return native;
}
