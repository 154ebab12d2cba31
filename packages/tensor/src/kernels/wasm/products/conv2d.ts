/** Forward convolution: y[n, oy, ox, oc] = Σ x[n, oy·s + ky·d − pad, …, ic] · w[ky, kx, ic, oc]. */
import { compileConvolution, type Tap } from "./convolve.js";
import { compileMap } from "../map/expression.js";
import { compileGemm } from "./gemm.js";
import type { CompiledWasm, WasmBinding, WasmOptions } from "../kernel.js";
import type { ConvParams } from "./params.js";
import { plainConv2d } from "./plain.js";

/** With few channels per group most lanes of a tile would idle, while plain expressions have lanes across groups. */
export const narrowGroups = (p: ConvParams): boolean =>
  p.groups > 1 && Math.min(p.inC, p.outC) / p.groups < 4;

export const isPointwise = (p: ConvParams): boolean =>
  p.kh === 1 &&
  p.kw === 1 &&
  p.strideH === 1 &&
  p.strideW === 1 &&
  p.groups === 1 &&
  p.padTop === 0 &&
  p.padLeft === 0 &&
  p.outH === p.h &&
  p.outW === p.w;

export function compileConv2d(
  p: ConvParams,
  bindings: readonly WasmBinding[],
  options: WasmOptions,
): CompiledWasm {
  if (narrowGroups(p)) return compileMap(plainConv2d(p), bindings, options);
  if (isPointwise(p)) {
    const m = p.batch * p.h * p.w;
    const none = { batchShape: [], aStrides: [], bStrides: [] };
    return compileGemm({ m, n: p.outC, k: p.inC, transA: false, transB: false, ...none }, bindings, options);
  }
  const [inner, outer] = [p.inC / p.groups, p.outC / p.groups];
  const taps: Tap[] = [];
  for (let ky = 0; ky < p.kh; ky++)
    for (let kx = 0; kx < p.kw; kx++)
      taps.push({
        y: ky * p.dilationH - p.padTop,
        x: kx * p.dilationW - p.padLeft,
        weight: (ky * p.kw + kx) * inner * p.outC,
      });
  return compileConvolution(
    {
      source: {
        batch: p.batch,
        height: p.h,
        width: p.w,
        channels: p.inC,
        stepY: p.strideH,
        stepX: p.strideW,
      },
      phases: [
        { taps, rows: p.outH, columns: p.outW, offset: 0, rowStep: p.outW * p.outC, pixelStep: p.outC },
      ],
      groups: p.groups,
      inner,
      outer,
      weightInner: p.outC,
      weightOuter: 1,
      weightGroup: outer,
      outputImage: p.outH * p.outW * p.outC,
    },
    options,
  );
}
