/** From kernel specifications to WebAssembly modules. */
import type { KernelSpec, MapKernel } from "../../program.js";
import { compileConv2d } from "./products/conv2d.js";
import { compileConv2dInputGrad } from "./products/conv2d-input-grad.js";
import { compileConv2dWeightGrad } from "./products/conv2d-weight-grad.js";
import { compileMap } from "./map/expression.js";
import { compileGemm } from "./products/gemm.js";
import type { CompiledWasm, WasmBinding, WasmOptions } from "./kernel.js";
import { compileScatterAdd } from "./scatter-add.js";

export type { CompiledWasm, WasmBinding, WasmOptions } from "./kernel.js";

// Parameters were made by the op of the same name; nothing else launches these kernels.
// biome-ignore lint/suspicious/noExplicitAny: each family reads its own parameters.
type Family = (params: any, bindings: readonly WasmBinding[], options: WasmOptions) => CompiledWasm;

/** The hand-written families, by name. */
const families: Readonly<Record<string, Family>> = {
  gemm: compileGemm,
  conv2d: compileConv2d,
  conv2dInputGrad: compileConv2dInputGrad,
  conv2dWeightGrad: compileConv2dWeightGrad,
  scatterAdd: compileScatterAdd,
};

/** A pure function of its arguments: equal arguments give equal modules. */
export function compileWasm(
  spec: KernelSpec,
  bindings: readonly WasmBinding[],
  options: WasmOptions,
): CompiledWasm {
  if (spec.family === "map") return compileMap(spec as MapKernel, bindings, options);
  const family = families[spec.family];
  if (!family) throw new Error(`internal: the cpu device has no kernel family "${spec.family}"`);
  return family((spec as { params: Readonly<Record<string, unknown>> }).params, bindings, options);
}
