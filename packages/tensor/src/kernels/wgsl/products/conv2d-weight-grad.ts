/**
 * Gradient of a convolution by its weight: rows are taps × input channels, columns output channels, and the sum runs
 * over all output pixels. It is cut into `splits` shares whose partial sums a second pass adds up, in a fixed order.
 */
import type { ConvWeightGradParams } from "../../../families/conv2d-weight-grad.js";
import { isPointwise, perGroup } from "../../../families/convolution.js";
import type { Product } from "./product.js";
import { reachesOut } from "./reaches-out.js";

export const conv2dWeightGradProduct = (p: ConvWeightGradParams): Product =>
  isPointwise(p) ? pointwise(p) : general(p);

/** What both forms share; `units` (lines or pixels) are dealt out to the splits. */
function common(
  p: ConvWeightGradParams,
  units: number,
): Pick<
  Product,
  "problems" | "m" | "n" | "setup" | "out" | "aAlongK" | "bAlongK" | "aVectors" | "bVectors" | "outVectors"
> {
  const { inG, outG } = perGroup(p);
  const aligned = p.outC % 4 === 0 && outG % 4 === 0;
  const [share, rest] = [Math.floor(units / p.splits), units % p.splits];
  const m = p.kh * p.kw * inG;
  return {
    problems: p.splits * p.groups,
    m,
    n: outG,
    setup: [
      `let part = problem % ${p.groups}u;`,
      `let split = problem / ${p.groups}u;`,
      `let first = split * ${share}u + min(split, ${rest}u);`,
      `let last = first + ${share}u + select(0u, 1u, split < ${rest}u);`,
    ],
    out: (r) => `split * ${m * p.outC}u + row${r} * ${p.outC}u + part * ${outG}u`,
    aAlongK: false,
    bAlongK: false,
    aVectors: p.inC % 4 === 0 && inG % 4 === 0,
    bVectors: aligned,
    outVectors: aligned,
  };
}

function pointwise(p: ConvWeightGradParams): Product {
  const { inG, outG } = perGroup(p);
  const pixels = p.batch * p.h * p.w;
  return {
    ...common(p, pixels),
    depth: pixels / p.splits,
    innerExtent: pixels / p.splits,
    row: (r) => [`let channel${r} = part * ${inG}u + row${r};`],
    loops: [],
    from: "first",
    to: "last",
    a: (r) => `k * ${p.inC}u + channel${r}`,
    b: (column) => `k * ${p.outC}u + part * ${outG}u + ${column}`,
  };
}

function general(p: ConvWeightGradParams): Product {
  const { inG, outG } = perGroup(p);
  const lines = p.batch * p.outH;
  const outsideY = reachesOut(p.h, p.outH, p.kh, p.strideH, p.dilationH, p.padTop);
  const outsideX = reachesOut(p.w, p.outW, p.kw, p.strideW, p.dilationW, p.padLeft);
  const column = (r: string): string => `left${r} + i32(k) * ${p.strideW}`;
  const pixel = (r: string): string => `line${r} + u32(${column(r)}) * ${p.inC}u`;
  const checks = (r: string): string =>
    [...(outsideY ? [`inside${r}`] : []), ...(outsideX ? [`u32(${column(r)}) < ${p.w}u`] : [])].join(" && ");
  return {
    ...common(p, lines),
    depth: (lines * p.outW) / p.splits,
    innerExtent: p.outW,
    row: (r) => [
      `let top${r} = i32(row${r} / ${p.kw * inG}u) * ${p.dilationH} - ${p.padTop};`,
      `let left${r} = i32(row${r} / ${inG}u % ${p.kw}u) * ${p.dilationW} - ${p.padLeft};`,
      `let channel${r} = part * ${inG}u + row${r} % ${inG}u;`,
    ],
    loops: [
      {
        head: "for (var line = first; line < last; line++)",
        common: [
          `let gradLine = line * ${p.outW * p.outC}u + part * ${outG}u;`,
          `let image = line / ${p.outH}u;`,
          `let windowTop = i32(line % ${p.outH}u) * ${p.strideH};`,
        ],
        row: (r) => [
          `let iy${r} = windowTop + top${r};`,
          ...(outsideY ? [`let inside${r} = u32(iy${r}) < ${p.h}u;`] : []),
          `let line${r} = (image * ${p.h}u + u32(iy${r})) * ${p.w * p.inC}u + channel${r};`,
        ],
      },
    ],
    from: "0u",
    to: `${p.outW}u`,
    a: (r) => (checks(r) ? `select(0u, ${pixel(r)}, ${checks(r)})` : pixel(r)),
    ...(checks("") && { inside: checks }),
    b: (at) => `gradLine + k * ${p.outC}u + ${at}`,
  };
}
