/** The table of kernel families, and the way from a kernel's description to its WGSL. */
import type { KernelSpec, MapKernel } from "../../graph/program.js";
import { conv2d } from "./conv2d.js";
import { conv2dInputGrad } from "./conv2dInputGrad.js";
import { conv2dWeightGrad } from "./conv2dWeightGrad.js";
import { compileExpression } from "./expression.js";
import { gemm } from "./gemm.js";
import { scatterAdd } from "./scatterAdd.js";
import type { KernelBinding, WgslKernel, WgslLimits } from "./types.js";

export type { KernelBinding, WgslKernel, WgslLimits } from "./types.js";
export { baseLimits } from "./types.js";

/** A hand-written family: a pure function of its parameters. */
export type WgslFamily = (params: never, limits: WgslLimits) => WgslKernel;

const families: Readonly<Record<string, WgslFamily>> = {
  gemm,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  scatterAdd,
};

export function compileWgsl(
  spec: KernelSpec,
  _bindings: readonly KernelBinding[],
  limits: WgslLimits,
): WgslKernel {
  if (isMap(spec)) return compileExpression(spec, limits);
  const family = families[spec.family];
  if (!family) throw new Error(`internal: no WGSL for the kernel family ${spec.family}`);
  return family(spec.params as never, limits);
}

const isMap = (spec: KernelSpec): spec is MapKernel => spec.family === "map";
