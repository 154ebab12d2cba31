/** The way from a kernel's description to its WGSL. */
import type { KernelSpec, MapKernel } from "../../program.js";
import { compileExpression } from "./map/expression.js";
import { scatterAdd, type ScatterAddParams } from "./scatter-add.js";
import type { WgslKernel, WgslLimits } from "./types.js";
import { compileVariant, type Variant, variantsOf } from "./products/variants.js";

export type { WgslKernel, WgslLimits } from "./types.js";
export { baseLimits } from "./types.js";
export { productOf, type Variant, variantsOf } from "./products/variants.js";

/** Writes the kernel in the given way, one of `variantsOf`, or else in the first of them. */
export function compileWgsl(spec: KernelSpec, limits: WgslLimits, variant?: Variant): WgslKernel {
  if (isMap(spec)) return compileExpression(spec, limits);
  if (spec.family === "scatterAdd") return scatterAdd(spec.params as unknown as ScatterAddParams, limits);
  const way = variant ?? variantsOf(spec, limits)[0];
  if (!way) throw new Error(`internal: no WGSL for the kernel family ${spec.family}`);
  return compileVariant(spec, way, limits);
}

const isMap = (spec: KernelSpec): spec is MapKernel => spec.family === "map";
