/** The families that are written in WGSL by hand, and how: as a product, whose tiles are chosen, or as a kernel of its own. */
import { isNarrow, perGroup } from "../../families/convolution.js";
import { conv2d, conv2dInputGrad, conv2dWeightGrad, gemm, scatterAdd } from "../../families/index.js";
import type { Family } from "../../families/family.js";
import type { Binding, KernelSpec } from "../../program.js";
import { conv2dProduct } from "./products/conv2d.js";
import { conv2dInputGradProduct } from "./products/conv2d-input-grad.js";
import { conv2dWeightGradProduct } from "./products/conv2d-weight-grad.js";
import { gemmProduct } from "./products/gemm.js";
import type { Product } from "./products/product.js";
import { compileScatterAdd } from "./scatter-add.js";
import type { WgslKernel, WgslLimits } from "./types.js";

interface Generator<P> {
  /** The matrix product that a kernel is. */
  readonly product?: (params: P) => Product;
  /** Whether the parameters leave most columns of a product's tile empty: then the plain expression runs, one element at a time. */
  readonly narrow?: (params: P) => boolean;
  /** A kernel that is no product. */
  readonly kernel?: (params: P, bindings: readonly Binding[], limits: WgslLimits) => WgslKernel;
}

// biome-ignore lint/suspicious/noExplicitAny: the table holds generators of every parameter type
const writes = <P>(family: Family<P>, generator: Generator<P>): [string, Generator<any>] => [
  family.name,
  generator,
];

/** Columns of a tile that a group should fill: one vector of lanes. */
const WANTED_COLUMNS = 8;

const generators = new Map([
  writes(gemm, { product: gemmProduct }),
  writes(conv2d, {
    product: conv2dProduct,
    narrow: (p) => isNarrow(p, perGroup(p).outG, WANTED_COLUMNS),
  }),
  writes(conv2dInputGrad, {
    product: conv2dInputGradProduct,
    narrow: (p) => isNarrow(p, perGroup(p).inG, WANTED_COLUMNS),
  }),
  writes(conv2dWeightGrad, { product: conv2dWeightGradProduct }),
  writes(scatterAdd, { kernel: compileScatterAdd }),
]);

export const generatorOf = (spec: KernelSpec) => generators.get(spec.family);
