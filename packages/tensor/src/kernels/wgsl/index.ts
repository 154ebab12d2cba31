/** The way from a kernel's description to its WGSL. */
import { familyOf, isMap, plainKernel } from "../../families/family.js";
import type { Binding, KernelSpec } from "../../program.js";
import { generatorOf } from "./generators.js";
import { compileExpression } from "./map/expression.js";
import { compileVariant, type Variant, variantsOf } from "./products/variants.js";
import type { WgslKernel, WgslLimits } from "./types.js";

export type { WgslKernel, WgslLimits } from "./types.js";
export { baseLimits } from "./types.js";
export { productOf, type Variant, variantsOf } from "./products/variants.js";

/** Writes the kernel in the given way, one of `variantsOf`, or else in the first of them. */
export function compileWgsl(
  spec: KernelSpec,
  bindings: readonly Binding[],
  limits: WgslLimits,
  variant?: Variant,
): WgslKernel {
  if (isMap(spec)) return compileExpression(spec, limits);
  const way = variant ?? variantsOf(spec, limits)[0];
  if (way) return compileVariant(spec, bindings, way, limits);
  const kernel = generatorOf(spec)?.kernel;
  if (kernel) return kernel(spec.params, bindings, limits);
  return compileExpression(plainKernel(familyOf(spec)!, spec.params), limits);
}
