/** From kernel specifications to WebAssembly modules. */
import type { KernelSpec, MapKernel } from "../../graph/program.js";
import { compileMap } from "./expression.js";
import type { CompiledWasm, WasmBinding, WasmOptions } from "./kernel.js";

export type { CompiledWasm, WasmBinding, WasmOptions } from "./kernel.js";

type Family = (params: Readonly<Record<string, unknown>>, bindings: readonly WasmBinding[], options: WasmOptions) => CompiledWasm;

/** The hand-written families, by name. */
const families: Readonly<Record<string, Family>> = {};

/** A pure function of its arguments: equal arguments give equal modules. */
export function compileWasm(spec: KernelSpec, bindings: readonly WasmBinding[], options: WasmOptions): CompiledWasm {
  if (spec.family === "map") return compileMap(spec as MapKernel, bindings, options);
  const family = families[spec.family];
  if (!family) throw new Error(`internal: the cpu device has no kernel family "${spec.family}"`);
  return family((spec as { params: Readonly<Record<string, unknown>> }).params, bindings, options);
}
