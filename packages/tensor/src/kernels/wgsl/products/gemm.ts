/** Batched matrix products, C[…, m, n] = Σ_k A·B. */
import type { GemmParams } from "../../../families/gemm.js";
import { stridesOf } from "../../../shape.js";
import type { Product } from "./product.js";

export function gemmProduct(p: GemmParams): Product {
  const { m, n, k, transA, transB, batchShape, aStrides, bStrides } = p;
  const outStrides = stridesOf(batchShape);
  const start = (strides: readonly number[]): string => {
    const terms = batchShape.flatMap((d, i) =>
      d === 1 || strides[i] === 0 ? [] : [`(problem / ${outStrides[i]}u % ${d}u) * ${strides[i]}u`],
    );
    return terms.join(" + ") || "0u";
  };
  return {
    problems: batchShape.reduce((a, d) => a * d, 1),
    m,
    n,
    depth: k,
    innerExtent: k,
    setup: [
      `let startA = ${start(aStrides)};`,
      `let startB = ${start(bStrides)};`,
      `let startC = problem * ${m * n}u;`,
    ],
    row: (r) => [`let left${r} = startA + row${r}${transA ? "" : ` * ${k}u`};`],
    loops: [],
    from: "0u",
    to: `${k}u`,
    a: (r) => `left${r} + k${transA ? ` * ${m}u` : ""}`,
    b: (column) => (transB ? `startB + ${column} * ${k}u + k` : `startB + k * ${n}u + ${column}`),
    out: (r) => `startC + row${r} * ${n}u`,
    aAlongK: !transA,
    bAlongK: transB,
    aVectors: (transA ? m : k) % 4 === 0 && aStrides.every((s) => s % 4 === 0),
    bVectors: (transB ? k : n) % 4 === 0 && bStrides.every((s) => s % 4 === 0),
    outVectors: n % 4 === 0,
  };
}
