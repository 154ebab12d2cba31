/**
 * Gradient of a convolution with respect to its input. dx at row y sums over the taps with y = oy·stride + ky·d − pad
 * for some oy: which taps these are depends on y modulo the stride only, so every residue (phase) is a plain
 * convolution of dy, with that phase's taps, that fills every stride-th pixel of dx.
 */
import { narrowGroups } from "./conv2d.js";
import type { Convolution, Phase, Tap } from "./convolution.js";
import { compileConvolution } from "./convolve.js";
import { compileMap } from "../map/expression.js";
import { usesWinograd } from "../winograd/fit.js";
import { compileWinograd } from "../winograd/forward.js";
import { compileGemm } from "./gemm.js";
import type { CompiledWasm, WasmOptions } from "../kernel.js";
import { conv2dInputGrad } from "../../../families/conv2d-input-grad.js";
import { type ConvParams, inputGradAsProduct, perGroup } from "../../../families/convolution.js";
import { plainKernel } from "../../../families/family.js";
import type { Binding } from "../../../program.js";

/** For one axis: the taps that reach positions phase, phase + stride, … and where in dy they read, ascending. */
function axisTaps(
  phase: number,
  kernel: number,
  stride: number,
  dilation: number,
  pad: number,
): { k: number; at: number }[] {
  const taps: { k: number; at: number }[] = [];
  for (let k = kernel - 1; k >= 0; k--) {
    const offset = phase + pad - k * dilation;
    if (offset % stride === 0) taps.push({ k, at: offset / stride });
  }
  return taps;
}

export function compileConv2dInputGrad(
  p: ConvParams,
  bindings: readonly Binding[],
  options: WasmOptions,
): CompiledWasm {
  if (narrowGroups(p)) return compileMap(plainKernel(conv2dInputGrad, p), bindings, options);
  const product = inputGradAsProduct(p);
  if (product) return compileGemm(product, bindings, options);
  const { inG: inPer, outG: outPer } = perGroup(p);
  const phases: Phase[] = [];
  for (let py = 0; py < Math.min(p.strideH, p.h); py++)
    for (let px = 0; px < Math.min(p.strideW, p.w); px++) {
      const taps: Tap[] = [];
      for (const y of axisTaps(py, p.kh, p.strideH, p.dilationH, p.padTop))
        for (const x of axisTaps(px, p.kw, p.strideW, p.dilationW, p.padLeft))
          taps.push({ y: y.at, x: x.at, weight: (y.k * p.kw + x.k) * inPer * p.outC });
      phases.push({
        taps,
        rows: Math.ceil((p.h - py) / p.strideH),
        columns: Math.ceil((p.w - px) / p.strideW),
        offset: (py * p.w + px) * p.inC,
        rowStep: p.strideH * p.w * p.inC,
        pixelStep: p.strideW * p.inC,
      });
    }
  const v: Convolution = {
    source: { batch: p.batch, height: p.outH, width: p.outW, channels: p.outC, stepY: 1, stepX: 1 },
    phases,
    groups: p.groups,
    inner: outPer,
    outer: inPer,
    weightInner: 1,
    weightOuter: p.outC,
    weightGroup: outPer,
    outputImage: p.h * p.w * p.inC,
  };
  return usesWinograd(v, options) ? compileWinograd(v, options) : compileConvolution(v, options);
}
