/**
 * The ways in which a kernel family can be written for a call, as data. The first is what runs untuned: lane tiles on
 * software adapters, workgroup tiles on hardware, of the size that an estimate prefers. The others are what a tuner
 * tries: the next sizes, and the styles that the estimate knows less about.
 */
import { familyOf, isMap, plainKernel } from "../../../families/family.js";
import type { Binding, FamilyKernel, KernelSpec } from "../../../program.js";
import { generatorOf } from "../generators.js";
import { compileExpression } from "../map/expression.js";
import type { WgslKernel, WgslLimits } from "../types.js";
import { compileLanes, type LaneTile, lanesFor } from "./lanes.js";
import type { Product } from "./product.js";
import { compileTiles, tilesFor, type WorkgroupTile } from "./tiles.js";

export type Variant =
  | ({ readonly style: "lanes" } & LaneTile)
  | ({ readonly style: "tiles" } & WorkgroupTile)
  | { readonly style: "element" };

/** The product that a call computes; undefined for families that are none. */
export const productOf = (spec: KernelSpec): Product | undefined =>
  isMap(spec) ? undefined : generatorOf(spec)?.product?.(spec.params);

/** Every way to write the kernel on these limits, the default first; empty for families that are no products. */
export function variantsOf(spec: KernelSpec, limits: WgslLimits): Variant[] {
  const product = productOf(spec);
  if (!product || isMap(spec)) return [];
  const lanes = (broadcast: boolean, most: number): Variant[] =>
    lanesFor(product, limits, broadcast)
      .slice(0, most)
      .map((tile) => ({ style: "lanes", ...tile }));
  const tiles = tilesFor(product, limits).map((tile): Variant => ({ style: "tiles", ...tile }));
  const direct: Variant[] = generatorOf(spec)!.narrow?.(spec.params) ? [{ style: "element" }] : [];
  // A software adapter would need minutes to try the tiles, which lose there by a factor of five.
  if (!limits.hardware) return [...direct, ...lanes(true, 6), ...lanes(false, limits.subgroupSize ? 2 : 6)];
  return [...direct, ...tiles.slice(0, 10), ...lanes(true, 2), ...lanes(false, 2)];
}

export function compileVariant(
  spec: FamilyKernel,
  bindings: readonly Binding[],
  variant: Variant,
  limits: WgslLimits,
): WgslKernel {
  const product = productOf(spec)!;
  switch (variant.style) {
    case "lanes":
      return compileLanes(product, bindings, variant, limits);
    case "tiles":
      return compileTiles(product, bindings, variant, limits);
    case "element":
      return compileExpression(plainKernel(familyOf(spec)!, spec.params), limits);
  }
}
