/**
 * Gradient of a convolution by its input. Input pixels that lie alike between the strides see the same taps; each such
 * phase is a product of its own: rows are its pixels, columns input channels, steps are taps × output channels.
 */
import { type ConvParams, inputGradAsProduct, perGroup } from "../../../families/convolution.js";
import { gemmProduct } from "./gemm.js";
import type { Product } from "./product.js";

export function conv2dInputGradProduct(p: ConvParams): Product {
  const product = inputGradAsProduct(p);
  if (product) return gemmProduct(product);
  const { inG, outG } = perGroup(p);
  const aligned = p.outC % 4 === 0 && outG % 4 === 0;
  const phases = p.strideH * p.strideW;
  const [rowsH, rowsW] = [Math.ceil(p.h / p.strideH), Math.ceil(p.w / p.strideW)];
  const ragged = p.h % p.strideH !== 0 || p.w % p.strideW !== 0;
  const ys = phaseTaps(p.strideH, p.dilationH, p.padTop, p.kh);
  const xs = phaseTaps(p.strideW, p.dilationW, p.padLeft, p.kw);
  const table = (name: string, first: readonly number[]): string =>
    `const ${name} = array<i32, ${first.length}>(${first.join(", ")});`;
  return {
    problems: phases * p.groups,
    m: p.batch * rowsH * rowsW,
    n: inG,
    depth: (p.kh * p.kw * outG) / phases,
    innerExtent: outG,
    globals: [table("firstY", ys.first), table("firstX", xs.first)],
    setup: [
      `let phaseY = problem / ${p.strideW}u % ${p.strideH}u;`,
      `let phaseX = problem % ${p.strideW}u;`,
      `let part = problem / ${phases}u;`,
    ],
    row: (r) => [
      `let py${r} = i32(row${r} / ${rowsW}u % ${rowsH}u * ${p.strideH}u + phaseY);`,
      `let px${r} = i32(row${r} % ${rowsW}u * ${p.strideW}u + phaseX);`,
      `let image${r} = row${r} / ${rowsH * rowsW}u;`,
    ],
    loops: [
      {
        head: `for (var ky = firstY[phaseY]; ky < ${p.kh}; ky += ${ys.step})`,
        // The phase makes the division exact; where the numerator is negative there is no such output.
        row: (r) => [
          `let dy${r} = py${r} + ${p.padTop} - ky * ${p.dilationH};`,
          `let oy${r} = dy${r} / ${p.strideH};`,
        ],
      },
      {
        head: `for (var kx = firstX[phaseX]; kx < ${p.kw}; kx += ${xs.step})`,
        common: [`let tap = u32(ky * ${p.kw} + kx) * ${inG * p.outC}u + part * ${outG}u;`],
        row: (r) => [
          `let dx${r} = px${r} + ${p.padLeft} - kx * ${p.dilationW};`,
          `let ox${r} = dx${r} / ${p.strideW};`,
          `let inside${r} = dy${r} >= 0 && oy${r} < ${p.outH} && dx${r} >= 0 && ox${r} < ${p.outW};`,
          `let at${r} = select(0u, u32((i32(image${r}) * ${p.outH} + oy${r}) * ${p.outW} + ox${r}) * ${p.outC}u + part * ${outG}u, inside${r});`,
        ],
      },
    ],
    from: "0u",
    to: `${outG}u`,
    a: (r) => `at${r} + k`,
    inside: (r) => `inside${r}`,
    b: (column) => `tap + ${column} * ${p.outC}u + k`,
    out: (r) => `u32((i32(image${r}) * ${p.h} + py${r}) * ${p.w} + px${r}) * ${p.inC}u + part * ${inG}u`,
    ...(ragged && { valid: (r: string) => `py${r} < ${p.h} && px${r} < ${p.w}` }),
    aAlongK: true,
    bAlongK: true,
    aVectors: aligned,
    bVectors: aligned,
    outVectors: inG % 4 === 0 && p.inC % 4 === 0,
  };
}

/**
 * The taps that reach an output from phase f: f + pad − tap·dilation must be a multiple of the stride. They start at
 * `first[f]` (the kernel's size when there are none) and are `step` apart.
 */
export function phaseTaps(
  stride: number,
  dilation: number,
  pad: number,
  k: number,
): { first: number[]; step: number } {
  const step = stride / gcd(stride, dilation);
  const first = Array.from({ length: stride }, (_, f) => {
    for (let tap = 0; tap < Math.min(k, step); tap++)
      if ((f + pad - tap * dilation) % stride === 0) return tap;
    return k;
  });
  return { first, step };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
