/** Convolution as an implicit matrix product: rows are output pixels, columns output channels, steps are taps × channels. */
import { asProduct, type ConvParams, perGroup } from "../../../families/convolution.js";
import { gemmProduct } from "./gemm.js";
import type { Product } from "./product.js";
import { reachesOut } from "./reaches-out.js";

export function conv2dProduct(p: ConvParams): Product {
  const product = asProduct(p);
  if (product) return gemmProduct(product);
  const { inG, outG } = perGroup(p);
  const outside =
    reachesOut(p.h, p.outH, p.kh, p.strideH, p.dilationH, p.padTop) ||
    reachesOut(p.w, p.outW, p.kw, p.strideW, p.dilationW, p.padLeft);
  const aligned = p.outC % 4 === 0 && outG % 4 === 0;
  return {
    problems: p.groups,
    m: p.batch * p.outH * p.outW,
    n: outG,
    depth: p.kh * p.kw * inG,
    innerExtent: inG,
    setup: [],
    row: (r) => [
      `let top${r} = i32(row${r} / ${p.outW}u % ${p.outH}u) * ${p.strideH} - ${p.padTop};`,
      `let left${r} = i32(row${r} % ${p.outW}u) * ${p.strideW} - ${p.padLeft};`,
      `let image${r} = row${r} / ${p.outH * p.outW}u * ${p.h * p.w * p.inC}u + problem * ${inG}u;`,
    ],
    loops: [
      {
        head: `for (var ky = 0; ky < ${p.kh}; ky++)`,
        row: (r) => [`let iy${r} = top${r} + ky * ${p.dilationH};`],
      },
      {
        head: `for (var kx = 0; kx < ${p.kw}; kx++)`,
        common: [`let tap = u32(ky * ${p.kw} + kx) * ${inG * p.outC}u + problem * ${outG}u;`],
        row: (r) => {
          const at = `image${r} + u32(iy${r} * ${p.w} + ix${r}) * ${p.inC}u`;
          return [
            `let ix${r} = left${r} + kx * ${p.dilationW};`,
            ...(outside
              ? [
                  `let inside${r} = u32(iy${r}) < ${p.h}u && u32(ix${r}) < ${p.w}u;`,
                  `let at${r} = select(0u, ${at}, inside${r});`,
                ]
              : [`let at${r} = ${at};`]),
          ];
        },
      },
    ],
    from: "0u",
    to: `${inG}u`,
    a: (r) => `at${r} + k`,
    ...(outside && { inside: (r: string) => `inside${r}` }),
    b: (column) => `tap + k * ${p.outC}u + ${column}`,
    out: (r) => `row${r} * ${p.outC}u + problem * ${outG}u`,
    aAlongK: true,
    bAlongK: false,
    aVectors: p.inC % 4 === 0 && inG % 4 === 0,
    bVectors: aligned,
    outVectors: aligned,
  };
}
