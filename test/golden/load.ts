/** Golden files, and formula-made weights for our modules. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadStateDict, type Module, type StateDict, stateDict } from "@dawnstrap/nn";
import type { Tensor } from "@dawnstrap/tensor";
import type { Host } from "./digest.js";
import { parameter } from "./formula.js";

/** A golden file by its name. */
export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(fileURLToPath(new URL(`${name}.json`, import.meta.url)), "utf8")) as T;
}

/**
 * Gives every parameter its formula value (in PyTorch's layout, as the generator does); buffers keep theirs.
 */
export async function loadFormula(module: Module, value = parameter): Promise<void> {
  const dict = await stateDict(module, { layout: "pytorch" });
  const names = [...module.namedParameters().keys()];
  const formula: StateDict = new Map(
    names.map((name) => {
      const { shape } = dict.get(name)!;
      return [name, { dtype: "float32", shape, data: value(name, shape) }];
    }),
  );
  loadStateDict(module, formula, { layout: "pytorch", strict: false });
}

/** Reads gradients of a module's parameters in PyTorch's layout and names. */
export async function gradientsOf(module: Module, grads: readonly Tensor[]): Promise<Map<string, Host>> {
  const params = [...module.namedParameters()];
  const read = await Promise.all(
    params.map(async ([name, p], i) => [name, p.kind, await hostOf(grads[i]!)] as const),
  );
  return new Map(read.map(([name, kind, host]) => [name, kind === "weight" ? toTorch(host) : host]));
}

/** Parameters and buffers in PyTorch's layout and names. */
export async function floatsOf(module: Module): Promise<Map<string, Host>> {
  const dict = await stateDict(module, { layout: "pytorch" });
  return new Map(
    [...dict].flatMap(([name, { shape, data }]) =>
      data instanceof Float32Array ? [[name, { shape, data }]] : [],
    ),
  );
}

export async function hostOf(tensor: Tensor): Promise<Host> {
  return { shape: tensor.shape, data: await tensor.data() };
}

/** [kh, kw, in, out] → [out, in, kh, kw]; [in, out] → [out, in]. */
export function toTorch({ shape, data }: Host): Host {
  const rest = shape.length === 4 ? [shape[0]! * shape[1]!, shape[2]!, shape[3]!] : [1, shape[0]!, shape[1]!];
  const [taps, inner, outer] = rest as [number, number, number];
  const out = new Float64Array(data.length);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++)
      for (let t = 0; t < taps; t++) out[(o * inner + i) * taps + t] = data[(t * inner + i) * outer + o]!;
  return { shape: shape.length === 4 ? [outer, inner, shape[0]!, shape[1]!] : [outer, inner], data: out };
}
