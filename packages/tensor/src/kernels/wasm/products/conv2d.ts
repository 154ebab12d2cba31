/** Forward convolution: y[n, oy, ox, oc] = Σ x[n, oy·s + ky·d − pad, …, ic] · w[ky, kx, ic, oc]. */
import type { Convolution, Tap } from "./convolution.js";
import { compileConvolution } from "./convolve.js";
import { compileMap } from "../map/expression.js";
import { usesWinograd } from "../winograd/fit.js";
import { compileWinograd } from "../winograd/forward.js";
import { compileGemm } from "./gemm.js";
import type { CompiledWasm, WasmOptions } from "../kernel.js";
import { conv2d } from "../../../families/conv2d.js";
import { asProduct, type ConvParams, isNarrow, perGroup } from "../../../families/convolution.js";
import { plainKernel } from "../../../families/family.js";
import type { Binding } from "../../../program.js";

/** Channels in and out of a group that a tile wants: four rows, and two vectors of columns. Plain expressions have lanes across groups. */
const WANTED_CHANNELS = 4;

export function narrowGroups(p: ConvParams): boolean {
  const { inG, outG } = perGroup(p);
  return isNarrow(p, Math.min(inG, outG), WANTED_CHANNELS);
}

export function compileConv2d(
  p: ConvParams,
  bindings: readonly Binding[],
  options: WasmOptions,
): CompiledWasm {
  if (narrowGroups(p)) return compileMap(plainKernel(conv2d, p), bindings, options);
  const product = asProduct(p);
  if (product) return compileGemm(product, bindings, options);
  const { inG: inner, outG: outer } = perGroup(p);
  const taps: Tap[] = [];
  for (let ky = 0; ky < p.kh; ky++)
    for (let kx = 0; kx < p.kw; kx++)
      taps.push({
        y: ky * p.dilationH - p.padTop,
        x: kx * p.dilationW - p.padLeft,
        weight: (ky * p.kw + kx) * inner * p.outC,
      });
  const v: Convolution = {
    source: {
      batch: p.batch,
      height: p.h,
      width: p.w,
      channels: p.inC,
      stepY: p.strideH,
      stepX: p.strideW,
    },
    phases: [{ taps, rows: p.outH, columns: p.outW, offset: 0, rowStep: p.outW * p.outC, pixelStep: p.outC }],
    groups: p.groups,
    inner,
    outer,
    weightInner: p.outC,
    weightOuter: 1,
    weightGroup: outer,
    outputImage: p.outH * p.outW * p.outC,
  };
  return usesWinograd(v, options) ? compileWinograd(v, options) : compileConvolution(v, options);
}
