/**
 * The ways in which a kernel family can be written for a call, as data. The first is what runs untuned: lane tiles on
 * software adapters, workgroup tiles on hardware, of the size that an estimate prefers. The others are what a tuner
 * tries: the next sizes, and the styles that the estimate knows less about.
 */
import type { FamilyKernel, KernelSpec } from "../../../program.js";
import { type ConvParams, isNarrow, perGroup } from "./conv-params.js";
import { conv2dProduct } from "./conv2d.js";
import { conv2dInputGradProduct } from "./conv2d-input-grad.js";
import { conv2dWeightGradProduct } from "./conv2d-weight-grad.js";
import { gemmProduct } from "./gemm.js";
import { compileLanes, type LaneTile, lanesFor } from "./lanes.js";
import { narrowConv2d, narrowInputGrad } from "./narrow-conv.js";
import type { Product } from "./product.js";
import { compileTiles, tilesFor, type WorkgroupTile } from "./tiles.js";
import type { WgslKernel, WgslLimits } from "../types.js";

export type Variant =
  | ({ readonly style: "lanes" } & LaneTile)
  | ({ readonly style: "tiles" } & WorkgroupTile)
  | { readonly style: "element" };

/** A family whose kernels are products. */
interface ProductFamily {
  product(params: never): Product;
  /** One invocation per element, for parameters that leave most columns of a tile empty. */
  element?(params: never, limits: WgslLimits): WgslKernel | undefined;
}

const families: Readonly<Record<string, ProductFamily>> = {
  gemm: { product: gemmProduct },
  conv2d: {
    product: conv2dProduct,
    element: (p: ConvParams, limits) => (isNarrow(p, perGroup(p).outG) ? narrowConv2d(p, limits) : undefined),
  },
  conv2dInputGrad: {
    product: conv2dInputGradProduct,
    element: (p: ConvParams, limits) =>
      isNarrow(p, perGroup(p).inG) ? narrowInputGrad(p, limits) : undefined,
  },
  conv2dWeightGrad: { product: conv2dWeightGradProduct },
};

/** The product that a call computes; undefined for families that are none. */
export const productOf = (spec: KernelSpec): Product | undefined =>
  "params" in spec ? families[spec.family]?.product(spec.params as never) : undefined;

/** Every way to write the kernel on these limits, the default first; empty for families that are no products. */
export function variantsOf(spec: KernelSpec, limits: WgslLimits): Variant[] {
  const product = productOf(spec);
  if (!product || !("params" in spec)) return [];
  const lanes = (broadcast: boolean, most: number): Variant[] =>
    lanesFor(product, limits, broadcast)
      .slice(0, most)
      .map((tile) => ({ style: "lanes", ...tile }));
  const tiles = tilesFor(product, limits).map((tile): Variant => ({ style: "tiles", ...tile }));
  const element = families[spec.family]!.element?.(spec.params as never, limits);
  const direct: Variant[] = element ? [{ style: "element" }] : [];
  // A software adapter would need minutes to try the tiles, which lose there by a factor of five.
  if (!limits.hardware) return [...direct, ...lanes(true, 6), ...lanes(false, limits.subgroupSize ? 2 : 6)];
  return [...direct, ...tiles.slice(0, 10), ...lanes(true, 2), ...lanes(false, 2)];
}

export function compileVariant(spec: KernelSpec, variant: Variant, limits: WgslLimits): WgslKernel {
  const product = productOf(spec)!;
  switch (variant.style) {
    case "lanes":
      return compileLanes(product, variant, limits);
    case "tiles":
      return compileTiles(product, variant, limits);
    case "element":
      return families[spec.family]!.element!((spec as FamilyKernel).params as never, limits)!;
  }
}
