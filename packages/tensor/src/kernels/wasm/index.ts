/** From kernel specifications to WebAssembly modules. */
import { conv2d, conv2dInputGrad, conv2dWeightGrad, gemm, scatterAdd } from "../../families/index.js";
import { familyOf, isMap, plainKernel } from "../../families/family.js";
import type { Binding, KernelSpec } from "../../program.js";
import { type CompiledWasm, type WasmOptions, writes } from "./kernel.js";
import { compileMap } from "./map/expression.js";
import { compileConv2d } from "./products/conv2d.js";
import { compileConv2dInputGrad } from "./products/conv2d-input-grad.js";
import { compileConv2dWeightGrad } from "./products/conv2d-weight-grad.js";
import { compileGemm } from "./products/gemm.js";
import { compileScatterAdd } from "./scatter-add.js";

export type { CompiledWasm, WasmOptions } from "./kernel.js";

/** The families that are written by hand. */
const generators = new Map([
  writes(gemm, compileGemm),
  writes(conv2d, compileConv2d),
  writes(conv2dInputGrad, compileConv2dInputGrad),
  writes(conv2dWeightGrad, compileConv2dWeightGrad),
  writes(scatterAdd, compileScatterAdd),
]);

/** A pure function of its arguments: equal arguments give equal modules. */
export function compileWasm(
  spec: KernelSpec,
  bindings: readonly Binding[],
  options: WasmOptions,
): CompiledWasm {
  if (isMap(spec)) return compileMap(spec, bindings, options);
  const generator = generators.get(spec.family);
  if (generator) return generator(spec.params, bindings, options);
  return compileMap(plainKernel(familyOf(spec)!, spec.params), bindings, options);
}
